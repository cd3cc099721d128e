/** The state an attempt starts from. */
import { ApiError } from '@iac-agent/protocol'
import type { Store } from '../../store/store.js'
import type { AgentCaller } from '../attempts/agent-caller.js'
import { requireAttemptRead } from '../attempts/require-attempt.js'
import { currentStateContent, type StateContent } from './state-view.js'

/** The current state of the task's workspace. Throws `not_found` when there is none, `stale_lease` as the data document does. */
export async function openTaskState(
  deps: { store: Store },
  input: { caller: AgentCaller; taskId: number },
): Promise<StateContent> {
  const workspaceId = await deps.store.read(async (reader) => {
    const { task, stale } = await requireAttemptRead(reader, input.caller, input.taskId)
    if (stale) throw new ApiError('stale_lease', `this attempt of task ${task.id} no longer counts`)
    return task.workspace_id
  })
  return currentStateContent(deps, workspaceId)
}
