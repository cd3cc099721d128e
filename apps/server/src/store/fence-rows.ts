/** A task with one of its attempts, in one statement: every request of an attempt asks for both, and each column costs as much as a step. */
import type { AttemptRow } from './attempt-rows.js'
import type { Reader } from './store.js'
import type { TaskRow } from './task-rows.js'

const taskColumns = [
  'id',
  'workspace_id',
  'pool_id',
  'task_type',
  'status',
  'stage',
  'context',
  'attempt',
  'requeues',
  'duration',
  'plan_attempt',
  'confirmed_plan',
  'confirmed_at',
  'cancel_requested_at',
  'unreachable_since',
  'created_at',
  'started_at',
] as const satisfies readonly (keyof TaskRow)[]

const attemptColumns = [
  'number',
  'phase',
  'agent_id',
  'seed_only',
  'state',
  'accepted_at',
  'lease_salt',
  'lease_ttl_ms',
  'lease_expires_at',
  'start_id',
  'base_state_version',
  'final_status',
] as const satisfies readonly (keyof AttemptRow)[]

/** What the fence, and what stands behind it, ask of a task. */
export type FencedTask = Pick<TaskRow, (typeof taskColumns)[number]>
/** And of the attempt that speaks. */
export type FencedAttemptRow = Pick<AttemptRow, 'task_id' | (typeof attemptColumns)[number]>

export interface TaskWithAttempt {
  readonly task: FencedTask
  /** undefined when the task has none of this number */
  readonly attempt: FencedAttemptRow | undefined
}

const columns = [
  ...taskColumns.map((name) => `t.${name}`),
  'a.task_id',
  ...attemptColumns.map((name) => `a.${name}`),
].join(', ')
const sql = `SELECT ${columns} FROM workspace_tasks t
  LEFT JOIN task_attempts a ON a.task_id = t.id AND a.number = coalesce(?, t.attempt) WHERE t.id = ?`

/** @param number of the attempt; undefined: the task's newest */
export function findTaskWithAttempt(
  reader: Reader,
  taskId: number,
  number: number | undefined,
): TaskWithAttempt | undefined {
  const row = reader.hot.one<FencedTask & { [K in keyof FencedAttemptRow]: FencedAttemptRow[K] | null }>(
    sql,
    number ?? null,
    taskId,
  )
  if (row === undefined) return undefined
  // no column of the one has a name of the other: the row is both
  return { task: row, attempt: row.task_id === null ? undefined : (row as FencedAttemptRow) }
}
