/** Whether the state a plan was made on is still the current one. */
import { ApiError } from '@iac-agent/protocol'
import { findHold } from '../../store/hold-rows.js'
import type { Reader } from '../../store/store.js'
import type { TaskRow } from '../../store/task-rows.js'

/** The workspace's current state, as a number to compare: the row id of its version, 0 for none. */
async function currentStateOf(reader: Reader, workspaceId: string): Promise<number> {
  return (await findHold(reader, workspaceId))?.tf_state ?? 0
}

export async function isPlanStale(reader: Reader, task: TaskRow): Promise<boolean> {
  return task.base_state_version !== (await currentStateOf(reader, task.workspace_id))
}

export function planStale(task: TaskRow): ApiError {
  return new ApiError(
    'plan_stale',
    `the state of workspace ${task.workspace_id} changed after task ${task.id} was planned: plan again`,
  )
}
