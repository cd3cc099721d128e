/** Records who confirmed which plan, and when: without this fact no apply starts. */
import { ApiError, type Task } from '@iac-agent/protocol'
import type { Clock } from '@iac-agent/runtime'
import type { Store, Tx } from '../../store/store.js'
import { findTask, type TaskRow, updateTask } from '../../store/task-rows.js'
import { planStaleness } from './plan-base.js'
import { getTask } from './task-view.js'

/**
 * Idempotent while the apply has not begun; for who confirmed it, until it has ended: the answer may have been lost.
 * @throws ApiError `not_found`, `illegal_transition`, `plan_stale`
 */
export async function confirmTask(
  deps: { store: Store; clock: Clock },
  input: { taskId: number; by: string; description?: string | null | undefined },
): Promise<Task> {
  await deps.store.transaction('confirm_task', async (tx) => {
    const task = await requireTask(tx, input.taskId)
    if (task.status === 'running' && task.confirmed_by === input.by) return
    if (task.status !== 'apply_pending') throw notWaiting(task)
    if (task.confirmed_at !== null) return
    const staleness = await planStaleness(tx, task)
    if (staleness !== undefined) throw staleness
    await recordConfirmation(tx, task, input.by, deps.clock.now(), input.description ?? null)
  })
  return getTask(deps, { taskId: input.taskId })
}

/** The fact itself; `auto_apply` records it too, in its own name. */
export async function recordConfirmation(
  tx: Tx,
  task: TaskRow,
  by: string,
  now: number,
  description: string | null = null,
): Promise<void> {
  await updateTask(tx, task.id, {
    confirmed_by: by,
    confirmed_at: now,
    confirmed_plan: task.plan_attempt,
    confirm_description: description,
  })
  tx.changed({ kind: 'task', taskId: task.id })
}

/** @throws ApiError `not_found` */
export async function requireTask(tx: Tx, taskId: number): Promise<TaskRow> {
  const task = await findTask(tx, taskId)
  if (task === undefined) throw new ApiError('not_found', `task ${taskId} does not exist`)
  return task
}

export function notWaiting(task: TaskRow): ApiError {
  return new ApiError('illegal_transition', `task ${task.id} is ${task.status}: no plan of it waits for confirmation`, {
    status: task.status,
  })
}
