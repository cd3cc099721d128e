/** A state file that an operator brings in as it is. */
import { ApiError } from '@iac-agent/protocol'
import { discardDraft } from '../../store/blobs.js'
import { findCurrentState, findStateWriter, type StateVersionRow } from '../../store/state-rows.js'
import type { Reader } from '../../store/store.js'
import { keepState } from './keep-state.js'
import type { ReceiveDeps, StateDraft } from './receive-state.js'

/**
 * Stores the draft as the workspace's current state. The first one sets the lineage. The same state again is the same version.
 * Throws `workspace_locked` while an apply can write state, `state_conflict` for another lineage or a serial that is not newer.
 */
export async function importState(
  deps: ReceiveDeps,
  input: { workspaceId: string; by: string; draft: StateDraft },
): Promise<StateVersionRow> {
  let isKept = false
  try {
    const kept = await deps.store.transaction('import_state', async (tx) => {
      await refuseWhileWritten(tx, input.workspaceId)
      const current = await findCurrentState(tx, input.workspaceId)
      const isSame = current?.sha256 === input.draft.blob.sha256
      if (current && !isSame) refuseNotNewer(input.draft, current.serial)
      const origin = {
        taskId: null,
        attempt: null,
        createdBy: input.by,
        maySetLineage: true,
        isStale: false,
        isPlan: false,
      }
      return keepState(tx, input.workspaceId, input.draft, origin, deps.clock.now())
    })
    isKept = kept.isNew
    return kept.version
  } finally {
    if (!isKept) await discardDraft(deps.store, input.draft.blob)
  }
}

/** @throws ApiError `workspace_locked` */
export async function refuseWhileWritten(reader: Reader, workspaceId: string): Promise<void> {
  const writer = await findStateWriter(reader, workspaceId)
  if (writer === undefined) return
  throw new ApiError('workspace_locked', `task ${writer} can still write the workspace's state`, { task_id: writer })
}

/** The lineage is judged first, by keepState: it says more than a serial. */
function refuseNotNewer({ serial, lineage }: StateDraft, current: number): void {
  if (serial === undefined || serial > current || lineage === undefined) return
  throw new ApiError(
    'state_conflict',
    `the state has serial ${serial}, the current one has ${current}: raise it to import this one`,
    {
      serial,
      current_serial: current,
    },
  )
}
