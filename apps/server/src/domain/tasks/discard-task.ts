/** Discards a plan that waits for confirmation, or for its confirmed apply to begin. */
import type { Task } from '@iac-agent/protocol'
import { type CancelDeps, cancelInside, tellCancel } from './cancel-task.js'
import { notWaiting, requireTask } from './confirm-task.js'
import { getTask } from './task-view.js'

/** The same again by the same person is done already. @throws ApiError `not_found`, `illegal_transition` */
export async function discardTask(deps: CancelDeps, input: { taskId: number; by: string }): Promise<Task> {
  const told = await deps.store.transaction('discard_task', async (tx) => {
    const task = await requireTask(tx, input.taskId)
    if (task.status === 'cancelled' && task.cancel_requested_by === input.by) return undefined
    if (task.status !== 'apply_pending') throw notWaiting(task)
    return cancelInside(tx, input, deps.clock.now())
  })
  tellCancel(deps.link, input.taskId, told)
  return getTask(deps, input)
}
