/** One round: a batch of tasks, faults while they run, healing, rest, judgement. */
import { setTimeout as elapsed } from 'node:timers/promises'
import { isFinal } from '@iac-agent/protocol'
import { checkEnds } from './check-ends.js'
import { checkLogs, type Torn } from './check-logs.js'
import { checkAcknowledged, checkLeftovers } from './check-rest.js'
import { checkStarts } from './check-starts.js'
import { checkStates } from './check-states.js'
import { collect } from './collect.js'
import type { Breach, Evidence, TaskEvidence } from './evidence.js'
import type { Fleet } from './fleet.js'
import { inject, type Struck } from './inject.js'
import { Operator } from './operator.js'
import type { Random } from './random.js'
import { rest } from './rest.js'
import { drawSchedule, type Fault, type ScheduleSize } from './schedule.js'
import { TaskWatch } from './task-watch.js'
import { drawWorkload, type PlannedWorkspace } from './workload.js'

export interface RoundPlan {
  readonly number: number
  readonly workspaces: readonly PlannedWorkspace[]
  readonly faults: readonly Fault[]
}

export interface RoundResult {
  readonly evidence: Evidence
  readonly breaches: readonly Breach[]
  /** From healing to the final status, of the tasks that ran at healing; by key. */
  readonly heals: ReadonlyMap<string, number>
}

export function drawRound(random: Random, number: number, size: ScheduleSize & { readonly tasks: number }): RoundPlan {
  const own = random.fork(`round ${number}`)
  const faults = drawSchedule(own.fork('faults'), size)
  const workload = {
    tasks: size.tasks,
    queueForMs: Math.round(size.forMs * 0.9),
    mayLoseTasks: faults.some(({ kind }) => kind === 'server restore'),
  }
  return {
    number,
    workspaces: drawWorkload(own.fork('workload'), `r${number}`, workload),
    faults,
  }
}

export async function runRound(fleet: Fleet, plan: RoundPlan): Promise<RoundResult> {
  const operator = new Operator(fleet)
  await operator.makeWorkspaces(plan.workspaces)
  const { histories } = operator
  const watch = new TaskWatch(fleet, new Set(histories.map(({ plan: { key } }) => key)))
  const over = new AbortController()
  const restoresBefore = fleet.restores.length
  const operating = operator.run(over.signal)
  try {
    const watching = new AbortController()
    const watched = watch.run(500, watching.signal)
    const struck = await inject(fleet, plan.faults, over.signal)
    await heal(fleet)
    for (const { onFullDisk = [] } of struck) for (const attempt of onFullDisk) fleet.torn.add(attempt)
    const healedAt = Date.now()
    watching.abort()
    await watched
    const running = await runningAtHealing(watch)
    const isAtRest = await rest({ fleet, operator, watch, wasRestored: fleet.restores.length > restoresBefore })
    over.abort()
    await operating
    const evidence = await collect({ fleet, histories, struck, watch })
    const deaths = fleet.lives.flatMap((life) => life.deaths.splice(0))
    const byThemselves = evidence.tasks
      .filter((task) => !wasHelped(task, healedAt))
      .map(({ history }) => history.plan.key)
    const heals = new Map(
      running
        .filter((key) => byThemselves.includes(key))
        .map((key) => [key, (watch.finalAt(key) ?? Date.now()) - healedAt]),
    )
    return { evidence, breaches: judge(evidence, isAtRest, deaths), heals }
  } finally {
    over.abort()
  }
}

/** After a restore some tasks wait for a person. */
function wasHelped({ fate, history }: TaskEvidence, healedAt: number): boolean {
  const { confirms, discards, cancels, declaredLost } = history
  return (
    fate !== 'steady' && [...confirms, ...discards, ...cancels, ...declaredLost].some(({ sentAt }) => sentAt > healedAt)
  )
}

/** Whatever a fault's end left; who ended by himself is started as a host would do. */
async function heal(fleet: Fleet): Promise<void> {
  for (const { network } of fleet.agents) network.heal()
  fleet.operatorNetwork.heal()
  for (const life of fleet.lives) if (life.isDown) await life.launch()
}

async function runningAtHealing(watch: TaskWatch): Promise<string[]> {
  while (!(await watch.look())) await elapsed(50)
  return watch.running()
}

/** Everything that is wrong with a round. */
function judge(evidence: Evidence, isAtRest: boolean, deaths: readonly string[]): Breach[] {
  const { tasks, struck } = evidence
  const kept = evidence.leftovers.flatMap(({ unknown }) => unknown)
  const killed = new Set(struck.flatMap(({ victim }) => (victim === undefined ? [] : [victim.attempt])))
  const stuck = tasks.flatMap(({ history, task }): Breach[] => {
    if (task === undefined || isFinal(task.status)) return []
    const reason = task.pending_reason?.message ?? (task.unreachable_since === null ? 'no reason' : 'unreachable')
    return [
      {
        kind: 'stuck tasks',
        size: 1,
        what: `task ${task.id} (${history.plan.key}) is ${task.status}, ${task.stage}: ${reason}`,
      },
    ]
  })
  return [
    ...stuck,
    ...tasks.flatMap((task) => checkLogs(task, { tornOf: (attempt) => tornOf(struck, attempt), killed, kept })),
    ...tasks.flatMap(checkStarts),
    ...checkEnds(evidence),
    ...checkStates(evidence),
    ...(isAtRest ? [] : checkLeftovers(evidence)),
    ...checkAcknowledged(evidence),
    ...deaths.map((what): Breach => ({ kind: 'died by itself', size: 1, what })),
  ]
}

function tornOf(struck: readonly Struck[], attempt: string): Torn {
  const full = struck.filter(({ onFullDisk = [] }) => onFullDisk.includes(attempt))
  if (full.length === 0) return 'no'
  const absences = struck.filter(({ fault }) => fault.kind.startsWith('agent '))
  const wasUnwatched = full.some(({ fault: { target }, at, until }) =>
    absences.some(
      (absence) => absence.fault.target === target && absence.at <= until + startMs && absence.until + startMs >= at,
    ),
  )
  return wasUnwatched ? 'untold' : 'told'
}

/** An agent that is started again looks after its disk within this. */
const startMs = 3_000
