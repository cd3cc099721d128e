/** A queue longer than there are slots: each task goes out when one ends. */
import { setTimeout as elapsed } from 'node:timers/promises'
import type { RunTask } from '@iac-agent/protocol'
import { eventually } from '@iac-agent/testkit'
import type { FleetServer } from '../measure/open-fleet.js'
import { makeWorkspaces, queuePlans } from '../measure/plan-tasks.js'
import type { SimulatedAgent } from '../measure/simulated-agent.js'
import { SimulatedFleet } from '../measure/simulated-fleet.js'
import { Undertakings } from '../measure/undertakings.js'
import { epochOf, stampOf } from './moments.js'

const [agents, tasks] = [20, 200]
/** Nothing takes longer than this, and nothing no time at all: with tasks of 0 ms it is how fast 20 clients ask that is measured. */
const longestTaskMs = 400

interface Receipt {
  readonly taskId: number
  /** whose end made room for it on this agent; undefined for an agent's first */
  readonly former: number | undefined
  readonly at: number
}

/** Milliseconds from the later of (task committed, the agent's slot free) to run_task. All tasks are queued before the first one ends. */
export async function receiptsOfQueue({ server, pool }: FleetServer): Promise<number[]> {
  const receipts: Receipt[] = []
  const lastOf = new Map<string, number>()
  const ends = new Undertakings()
  let areQueued: () => void = () => {}
  const queued = new Promise<void>((resolve) => {
    areQueued = resolve
  })
  await using fleet = new SimulatedFleet({
    url: server.url,
    key: pool.key,
    onRunTask(agent, task, at) {
      receipts.push({ taskId: task.task_id, former: lastOf.get(agent.id), at: epochOf(at) })
      lastOf.set(agent.id, task.task_id)
      agent.accept(task)
      ends.add(work(agent, task))
    },
  })
  await fleet.growTo(agents)
  for (const id of await makeWorkspaces(server.client, pool, tasks)) await queuePlans(server.client, [id])
  areQueued()
  await eventually('every task has run', () => receipts.length === tasks, { timeoutMs: 60_000 })
  await ends.ended()
  const stamps = await stampsOfTasks(server.client)
  return receipts.map(({ taskId, former, at }) => {
    const freeAt = former === undefined ? 0 : (stamps.get(former)?.completedAt ?? 0)
    return at - Math.max(stamps.get(taskId)?.createdAt ?? Number.NaN, freeAt)
  })

  async function work(agent: SimulatedAgent, task: RunTask): Promise<void> {
    await queued
    await elapsed(Math.random() * longestTaskMs)
    await fleet.finish(agent, task)
  }
}

async function stampsOfTasks({ tasks: api }: FleetServer['server']['client']) {
  const stamps = new Map<number, { createdAt: number; completedAt: number }>()
  let cursor: string | undefined
  do {
    const page = await api.list({ query: { limit: 200, ...(cursor === undefined ? {} : { cursor }) } })
    for (const { id, created_at, completed_at } of page.items)
      stamps.set(id, { createdAt: stampOf(created_at), completedAt: stampOf(completed_at) })
    cursor = page.next_cursor ?? undefined
  } while (cursor !== undefined)
  return stamps
}
