/** The uploaded tree that a task was made with. */
import { ApiError } from '@iac-agent/protocol'
import { streamBlob } from '../../store/blobs.js'
import type { Store } from '../../store/store.js'
import { findSnapshot } from '../../store/task-rows.js'
import type { AgentCaller } from '../attempts/agent-caller.js'
import { requireAttemptRead } from '../attempts/require-attempt.js'
import { parseSnapshot } from '../tasks/task-snapshot.js'

/** The tar.gz frozen with the caller's task. Throws `not_found` when it has none, `stale_lease` as the data document does. */
export async function openConfiguration(
  deps: { store: Store },
  input: { caller: AgentCaller; taskId: number },
): Promise<{ sha256: string; sizeBytes: number; bytes: AsyncIterable<Buffer> }> {
  const configuration = await deps.store.read(async (reader) => {
    const { task, stale } = await requireAttemptRead(reader, input.caller, input.taskId)
    if (stale) throw new ApiError('stale_lease', `this attempt of task ${task.id} no longer counts`)
    return parseSnapshot(await findSnapshot(reader, task.id), task.id).configuration
  })
  if (!configuration) throw new ApiError('not_found', `task ${input.taskId} has no uploaded configuration`)
  const { sha256, size: sizeBytes } = configuration
  return { sha256, sizeBytes, bytes: streamBlob(deps.store, sha256) }
}
