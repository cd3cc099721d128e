/** A person makes the state of an earlier or rescued version the current one again. */
import { ApiError } from '@iac-agent/protocol'
import { discardDraft, keepBlob, streamBlob } from '../../store/blobs.js'
import {
  findCurrentState,
  findStateVersion,
  highestSerial,
  insertStateVersion,
  type StateVersionRow,
  setCurrentState,
} from '../../store/state-rows.js'
import type { Reader, Tx } from '../../store/store.js'
import { refuseWhileWritten } from './import-state.js'
import { type ReceiveDeps, receiveRawState, type StateDraft } from './receive-state.js'
import { withSerial } from './with-serial.js'

export interface PromoteState {
  readonly workspaceId: string
  readonly versionId: string
  readonly by: string
}

/**
 * Adds a version with the lineage's highest serial + 1, in the bytes too, and makes it current. Idempotent while that version,
 * or the named one itself, is current.
 * @throws ApiError `not_found` (also for another workspace's version), `workspace_locked` while an apply can write state,
 * `state_conflict` for another lineage than the current state's
 */
export async function promoteState(deps: ReceiveDeps, input: PromoteState): Promise<StateVersionRow> {
  for (;;) {
    const aim = await deps.store.read((reader) => aimOf(reader, input))
    if (aim.done !== undefined) return aim.done
    const bytes = withSerial(streamBlob(deps.store, aim.version.sha256), aim.serial)
    const draft = await receiveRawState(deps, bytes, undefined)
    const promoted = await keepUnlessOvertaken(deps, input, { draft, serial: aim.serial })
    if (promoted !== undefined) return promoted
  }
}

/** Either it is `done`, or `version` is to be stored under `serial`. */
type Aim = { readonly version: StateVersionRow; readonly serial: number; readonly done?: StateVersionRow }

async function aimOf(reader: Reader, { workspaceId, versionId }: PromoteState): Promise<Aim> {
  const version = /^\d{1,15}$/.test(versionId) ? await findStateVersion(reader, Number(versionId)) : undefined
  if (version?.workspace_id !== workspaceId) {
    throw new ApiError('not_found', `workspace ${workspaceId} has no state version ${versionId}`)
  }
  await refuseWhileWritten(reader, workspaceId)
  const current = await findCurrentState(reader, workspaceId)
  const serial = (await highestSerial(reader, workspaceId, version.lineage)) + 1
  if (current === undefined) return { version, serial }
  if (current.lineage !== version.lineage) {
    const facts = { expected: current.lineage, found: version.lineage }
    throw new ApiError('state_conflict', 'the version is of another lineage than the current state', facts)
  }
  const isDone = current.id === version.id || current.promoted_from === version.id
  return isDone ? { version, serial, done: current } : { version, serial }
}

/** Undefined when a newer serial came meanwhile: then the bytes are to be made again. */
async function keepUnlessOvertaken(
  deps: ReceiveDeps,
  input: PromoteState,
  made: { draft: StateDraft; serial: number },
): Promise<StateVersionRow | undefined> {
  let isKept = false
  try {
    const outcome = await deps.store.transaction('promote_state', async (tx) => {
      const aim = await aimOf(tx, input)
      if (aim.done !== undefined) return { version: aim.done, isNew: false }
      if (aim.serial !== made.serial) return undefined
      return { version: await keep(tx, aim, made.draft, { by: input.by, now: deps.clock.now() }), isNew: true }
    })
    isKept = outcome?.isNew === true
    return outcome?.version
  } finally {
    if (!isKept) await discardDraft(deps.store, made.draft.blob)
  }
}

async function keep(tx: Tx, aim: Aim, draft: StateDraft, { by, now }: { by: string; now: number }) {
  await keepBlob(tx, draft.blob, now)
  const row = await insertStateVersion(tx, {
    workspace_id: aim.version.workspace_id,
    serial: aim.serial,
    lineage: aim.version.lineage,
    terraform_version: aim.version.terraform_version,
    sha256: draft.blob.sha256,
    size_bytes: draft.blob.sizeBytes,
    rescued: false,
    rescue_reason: null,
    checksum_unverified: aim.version.checksum_unverified === 1,
    task_id: aim.version.task_id,
    attempt: aim.version.attempt,
    created_by: by,
    promoted_from: aim.version.id,
    created_at: now,
  })
  await setCurrentState(tx, row, now)
  tx.changed({ kind: 'state', workspaceId: aim.version.workspace_id })
  return row
}
