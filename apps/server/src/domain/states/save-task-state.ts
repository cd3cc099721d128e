/** A state that an attempt's terraform wrote. */
import { discardDraft } from '../../store/blobs.js'
import type { AgentCaller } from '../attempts/agent-caller.js'
import { requireAttempt } from '../attempts/require-attempt.js'
import { keepState } from './keep-state.js'
import type { ReceiveDeps, StateDraft } from './receive-state.js'

export interface SavedState {
  readonly message: 'state saved successfully'
  readonly version: number
  readonly late?: true
  readonly rescued?: true
}

/**
 * Stores the draft as the workspace's next version. A stale attempt's and an older serial's are kept as rescued versions.
 * Throws `state_conflict` for another lineage; then, and when the same version was there, the draft is thrown away.
 */
export async function saveTaskState(
  deps: ReceiveDeps,
  input: { caller: AgentCaller; taskId: number; draft: StateDraft },
): Promise<SavedState> {
  let isKept = false
  try {
    const { version, isNew, stale } = await deps.store.transaction('save_state', async (tx) => {
      const { task, attempt, stale } = await requireAttempt(tx, input.caller, input.taskId, deps.clock)
      const origin = {
        taskId: task.id,
        attempt: attempt.number,
        createdBy: null,
        maySetLineage: attempt.seed_only === 1,
        isStale: stale,
        isPlan: attempt.phase === 'plan',
      }
      return { stale, ...(await keepState(tx, task.workspace_id, input.draft, origin, deps.clock.now())) }
    })
    isKept = isNew
    return {
      message: 'state saved successfully',
      version: version.version,
      ...(stale ? { late: true } : {}),
      ...(version.rescued === 1 ? { rescued: true } : {}),
    }
  } finally {
    if (!isKept) await discardDraft(deps.store, input.draft.blob)
  }
}
