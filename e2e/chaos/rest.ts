/** From healing to rest: waits until every task is final and nothing of it is left; after a restore a person helps. */
import { setTimeout as elapsed } from 'node:timers/promises'
import type { Fleet } from './fleet.js'
import { isQuiet, leftoversOf } from './leftovers.js'
import type { Operator } from './operator.js'
import { cancelAgain, settle } from './person.js'
import { mayBeGone } from './restores.js'
import type { TaskWatch } from './task-watch.js'

/** How long the fleet may take before whatever is not final is called stuck. */
const patienceMs = 60_000

export interface RestParts {
  readonly fleet: Fleet
  readonly operator: Operator
  readonly watch: TaskWatch
  /** In this round. */
  readonly wasRestored: boolean
}

/** False when that takes too long. */
export async function rest({ fleet, operator, watch, wasRestored }: RestParts): Promise<boolean> {
  let quietLooks = 0
  for (const until = performance.now() + patienceMs; performance.now() < until; await elapsed(100)) {
    if (!(await watch.look())) continue
    if (wasRestored && quietLooks < 3) {
      await cancelAgain(fleet, operator.histories) // what hangs until it is cancelled keeps its agent from being quiet
      quietLooks = (await areQuiet(fleet)) ? quietLooks + 1 : 0
      if (quietLooks === 3) operator.calm()
      continue
    }
    if (wasRestored) await settle(fleet, operator.histories)
    if (areAllFinal(fleet, operator, watch) && (await isEmpty(fleet))) return true
  }
  return false
}

function areAllFinal({ restores }: Fleet, { histories }: Operator, watch: TaskWatch): boolean {
  return histories.every((history) => {
    const { key } = history.plan
    if (history.created?.acknowledgedAt === undefined) return false
    return watch.isThere(key) ? watch.isFinal(key) : mayBeGone(history, restores)
  })
}

async function areQuiet({ agents }: Fleet): Promise<boolean> {
  return (await Promise.all(agents.map(isQuiet))).every((isOne) => isOne)
}

async function isEmpty(fleet: Fleet): Promise<boolean> {
  const left = await Promise.all(fleet.agents.map((agent) => leftoversOf(fleet, agent)))
  return left.every(({ attempts, claims, processes, countedTasks, listeningSockets }) => {
    return [...attempts, ...claims, ...processes, ...countedTasks].length + listeningSockets === 0
  })
}
