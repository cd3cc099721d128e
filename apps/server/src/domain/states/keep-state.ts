/** Stores a received state as a version, current or rescued, in one transaction. */
import { ApiError } from '@iac-agent/protocol'
import { keepBlob } from '../../store/blobs.js'
import {
  findCurrentState,
  findSameState,
  insertStateVersion,
  type StateVersionRow,
  setCurrentState,
} from '../../store/state-rows.js'
import type { Tx } from '../../store/store.js'
import type { StateDraft } from './receive-state.js'
import { judgeState } from './state-verdict.js'

export interface StateOrigin {
  readonly taskId: number | null
  readonly attempt: number | null
  readonly createdBy: string | null
  readonly maySetLineage: boolean
  readonly isStale: boolean
  readonly isPlan: boolean
}

/** The version that holds the state; `isNew` false: it was there, and the draft is to be thrown away. */
export interface KeptState {
  readonly version: StateVersionRow
  readonly isNew: boolean
}

/** Idempotent by (serial, bytes): the same again is the same version. Throws `state_conflict` for another lineage. */
export async function keepState(
  tx: Tx,
  workspaceId: string,
  draft: StateDraft,
  origin: StateOrigin,
  now: number,
): Promise<KeptState> {
  const workspace = await tx.db
    .selectFrom('workspaces')
    .select('lineage')
    .where('id', '=', workspaceId)
    .executeTakeFirst()
  if (!workspace) throw new ApiError('not_found', `workspace ${workspaceId} does not exist`)
  const current = await findCurrentState(tx, workspaceId)
  const same = await findSame(tx, workspaceId, draft, current)
  const verdict = judgeState({ ...draft, ...origin, current, workspaceLineage: workspace.lineage })
  // what was only rescued becomes current when it comes from one who may say so
  if (same && !(same.rescued === 1 && verdict.kind === 'current')) return { version: same, isNew: false }
  if (verdict.kind === 'other_lineage') throw otherLineage(verdict.expected, draft.lineage)
  const isRescued = verdict.kind === 'rescued'
  await keepBlob(tx, draft.blob, now)
  const version = await insertStateVersion(tx, {
    workspace_id: workspaceId,
    serial: verdict.serial,
    lineage: verdict.lineage,
    terraform_version: draft.terraformVersion ?? null,
    sha256: draft.blob.sha256,
    size_bytes: draft.blob.sizeBytes,
    rescued: isRescued,
    rescue_reason: isRescued ? verdict.reason : null,
    checksum_unverified: draft.checksumUnverified,
    task_id: origin.taskId,
    attempt: origin.attempt,
    created_by: origin.createdBy,
    created_at: now,
  })
  if (!isRescued) await setCurrentState(tx, version, now)
  tx.changed({ kind: 'state', workspaceId })
  return { version, isNew: true }
}

/** A state without a serial has no identity of its own: it is only ever the same as the current one. */
async function findSame(tx: Tx, workspaceId: string, draft: StateDraft, current: StateVersionRow | undefined) {
  if (draft.serial !== undefined) return findSameState(tx, workspaceId, draft.serial, draft.blob.sha256)
  return current?.sha256 === draft.blob.sha256 ? current : undefined
}

function otherLineage(expected: string, found: string | undefined): ApiError {
  const message = `the state has lineage ${found}, the workspace has ${expected}`
  return new ApiError('state_conflict', message, { expected, found })
}
