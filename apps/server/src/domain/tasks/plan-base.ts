/** Whether a plan may still be applied: the state it was made on is the current one, and nobody has applied it. */
import { ApiError } from '@iac-agent/protocol'
import { lostApplySince } from '../../store/attempt-rows.js'
import { findHold } from '../../store/hold-rows.js'
import type { Reader } from '../../store/store.js'
import type { TaskRow } from '../../store/task-rows.js'

/** The workspace's current state, as a number to compare: the row id of its version, 0 for none. */
async function currentStateOf(reader: Reader, workspaceId: string): Promise<number> {
  return (await findHold(reader, workspaceId))?.tf_state ?? 0
}

/** `plan_stale` with the reason; undefined while the task's plan may be applied. */
export async function planStaleness(reader: Reader, task: TaskRow): Promise<ApiError | undefined> {
  const lost = lostApplySince(reader, task.id, task.plan_attempt ?? 0)
  if (lost !== undefined)
    return stale(`attempt ${lost} of task ${task.id} applied its plan after the backup that was restored`)
  if (task.base_state_version === (await currentStateOf(reader, task.workspace_id))) return undefined
  return stale(`the state of workspace ${task.workspace_id} changed after task ${task.id} was planned`)
}

function stale(reason: string): ApiError {
  return new ApiError('plan_stale', `${reason}: plan again`)
}
