/** Reads a fleet at rest: what the server has stored, what the oracle noted, what is left on the hosts. */
import { ApiError, type LogState, type Task } from '@iac-agent/protocol'
import { readOracle } from '@iac-agent/testkit'
import type { Evidence, StoredLog, TaskEvidence, WorkspaceEvidence } from './evidence.js'
import { type FakeRun, fakeRunsOf } from './fake-runs.js'
import type { Fleet } from './fleet.js'
import type { TaskHistory } from './history.js'
import type { Struck } from './inject.js'
import { leftoversOf } from './leftovers.js'
import { mayBeGone, wentBack } from './restores.js'
import type { TaskWatch } from './task-watch.js'

const logLimit = 16 * 1024 * 1024

export interface CollectFrom {
  readonly fleet: Fleet
  readonly histories: readonly TaskHistory[]
  readonly struck: readonly Struck[]
  readonly watch: TaskWatch
}

export async function collect({ fleet, histories, struck, watch }: CollectFrom): Promise<Evidence> {
  const runs = fakeRunsOf(await readOracle(fleet.oracleFile))
  const tasks: TaskEvidence[] = []
  for (const history of histories) tasks.push(await taskEvidence(fleet, history, runs, watch))
  const workspaces: WorkspaceEvidence[] = []
  for (const history of new Map(histories.map((one) => [one.workspaceId, one])).values()) {
    workspaces.push(await workspaceEvidence(fleet, history))
  }
  return {
    tasks,
    workspaces,
    leftovers: await Promise.all(fleet.agents.map((agent) => leftoversOf(fleet, agent))),
    struck,
    restores: fleet.restores,
  }
}

async function taskEvidence(
  fleet: Fleet,
  history: TaskHistory,
  runs: readonly FakeRun[],
  watch: TaskWatch,
): Promise<TaskEvidence> {
  const { id, plan, workspaceId } = history
  const task = id === undefined ? undefined : await taskOf(fleet, id)
  const isGone = task === undefined && mayBeGone(history, fleet.restores)
  const hasGoneBack = wentBack(history, watch.firstFinalAt(plan.key), fleet.restores)
  const own = runs.filter((run) => run.workspaceId === workspaceId && run.attempt.startsWith(`${id}-`))
  const numbers = new Set([
    ...own.map(({ attempt }) => Number(attempt.split('-')[1])),
    ...(task?.attempt ? [task.attempt] : []),
  ])
  const logs: StoredLog[] = []
  for (const number of task === undefined ? [] : numbers) {
    const log = await logOf(fleet, task?.id ?? 0, number)
    if (log !== undefined) logs.push(log)
  }
  return {
    ...{ history, task, logs },
    fate: isGone ? 'gone' : hasGoneBack ? 'went back' : 'steady',
    unrecorded: task === undefined || task.unrecorded_resources === null ? [] : await unrecordedOf(fleet, task.id),
    runs: own,
    finals: watch.finalsOf(plan.key),
  }
}

/** Undefined when the server has no such task. */
function taskOf({ server }: Fleet, id: number): Promise<Task | undefined> {
  return server.client.tasks.get({ params: { id } }).catch(absent)
}

async function unrecordedOf({ server }: Fleet, id: number): Promise<string[]> {
  const { items } = await server.client.tasks.unrecordedResources({ params: { id } })
  return items.map(({ address }) => address)
}

/** Of whatever phase the attempt is; undefined when it has written nothing. */
async function logOf({ server }: Fleet, id: number, attempt: number): Promise<StoredLog | undefined> {
  for (const phase of ['plan', 'apply'] as const) {
    const query = { phase, attempt, limit: logLimit }
    const answer = await server.client.tasks.logs({ params: { id }, query }).catch(absent)
    if (answer === undefined) continue
    const text = await answer.text()
    return { attempt, phase, state: answer.headers.get('x-log-state') as LogState, text }
  }
  return undefined
}

async function workspaceEvidence(
  { server }: Fleet,
  { workspaceId: id, workspace: planned }: TaskHistory,
): Promise<WorkspaceEvidence> {
  const params = { id }
  const { lock } = await server.client.workspaces.get({ params })
  const versions = await server.client.states.list({ params, query: { limit: 200 } })
  const tasks = await server.client.tasks.list({ query: { workspace_id: id, limit: 200 } })
  const state = await server.client.states.current({ params }).catch(absent)
  const current = state && instancesIn((await state.json()) as StateDocument)
  return { id, planned, lock, versions: versions.items, current, tasks: tasks.items.length }
}

interface StateDocument {
  resources: { type: string; name: string; instances: { index_key?: number; attributes: { id: string } }[] }[]
}

function instancesIn({ resources }: StateDocument): Map<string, string> {
  const entries = resources.flatMap(({ type, name, instances }) =>
    instances.map(({ index_key, attributes }) => {
      const key = index_key === undefined ? '' : `[${index_key}]`
      return [`${type}.${name}${key}`, attributes.id] as const
    }),
  )
  return new Map(entries)
}

function absent(error: unknown): undefined {
  if (error instanceof ApiError && error.code === 'not_found') return undefined
  throw error
}
