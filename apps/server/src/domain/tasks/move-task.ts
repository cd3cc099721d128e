/** The only writer of a task's status: asks the status machine, changes the row under guard, and holds or frees the workspace. */
import {
  ApiError,
  isFinal,
  mayApply,
  nextStatus,
  type Phase,
  type TaskEvent,
  type TaskStatus,
} from '@iac-agent/protocol'
import type { Updateable } from 'kysely'
import { holdWorkspace, releaseWorkspace } from '../../store/hold-rows.js'
import type { WorkspaceTasksTable } from '../../store/schema/tasks.js'
import type { Tx } from '../../store/store.js'
import { type TaskRow, updateTaskStatus } from '../../store/task-rows.js'

/** What a move asks of its task. */
type MovedTask = Pick<TaskRow, 'id' | 'workspace_id' | 'task_type' | 'status' | 'started_at'>

/** What changes in the same UPDATE. */
export type TaskPatch = Omit<Updateable<WorkspaceTasksTable>, 'status' | 'id' | 'started_at' | 'completed_at'>

/**
 * Moves `task` (as read in this transaction) by `event` and answers the new status.
 * @param phase of the attempt that runs; without meaning while nothing runs
 * @throws ApiError `illegal_transition` when the machine knows no such move, or somebody moved the task first
 */
export async function moveTask(
  tx: Tx,
  task: MovedTask,
  phase: Phase,
  event: TaskEvent,
  now: number,
  patch: TaskPatch = {},
): Promise<TaskStatus> {
  const status = nextStatus({ taskType: task.task_type, status: task.status, phase }, event)
  if (status === undefined) throw illegal(task, event)
  const rows = await updateTaskStatus(tx, task.id, task.status, { ...patch, ...stampsOf(task, status, now), status })
  if (rows === 0) throw illegal(task, event)
  if (mayApply(task.task_type)) await moveHold(tx, task, status)
  tx.changed({ kind: 'task', taskId: task.id })
  tx.changed({ kind: 'workspace', workspaceId: task.workspace_id })
  return status
}

function stampsOf(task: MovedTask, status: TaskStatus, now: number): Updateable<WorkspaceTasksTable> {
  if (isFinal(status)) return { completed_at: now, unreachable_since: null, stage: 'completed' }
  if (status === 'running') return task.started_at === null ? { started_at: now } : {}
  return status === 'pending' ? { unreachable_since: null, stage: 'pending' } : { stage: 'apply_pending' }
}

/** A task that may apply holds its workspace from `running` to its final status, waiting for confirmation included. */
async function moveHold(tx: Tx, task: MovedTask, status: TaskStatus): Promise<void> {
  if (status === 'running') {
    const rows = await holdWorkspace(tx, task.workspace_id, task.id)
    if (rows === 0) throw new ApiError('workspace_locked', `another task holds workspace ${task.workspace_id}`)
  } else if (status !== 'apply_pending') await releaseWorkspace(tx, task.workspace_id, task.id)
}

function illegal(task: MovedTask, event: TaskEvent): ApiError {
  return new ApiError('illegal_transition', `task ${task.id} is ${task.status}: ${event.kind} is not possible`, {
    status: task.status,
    event: event.kind,
  })
}
