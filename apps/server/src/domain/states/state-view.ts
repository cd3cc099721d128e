/** State versions as the operator API shows them, and their bytes. */
import { ApiError, type StateVersion } from '@iac-agent/protocol'
import { streamBlob } from '../../store/blobs.js'
import { findCurrentState, findStateVersion, listStateVersions, type StateVersionRow } from '../../store/state-rows.js'
import type { Store } from '../../store/store.js'
import { rfc3339 } from '../rfc3339.js'

interface Deps {
  readonly store: Store
}

/** A version's bytes, as a stream of what is stored. */
export interface StateContent {
  readonly version: number
  readonly sha256: string
  readonly sizeBytes: number
  readonly bytes: AsyncIterable<Buffer>
}

/** A page of a workspace's versions, newest first; the cursor is the last version number. */
export async function listStates(
  deps: Deps,
  input: { workspaceId: string; limit: number; cursor?: string | undefined },
): Promise<{ items: StateVersion[]; next_cursor: string | null }> {
  const before = input.cursor === undefined ? undefined : readNumber(input.cursor, 'cursor')
  return deps.store.read(async (reader) => {
    const rows = await listStateVersions(reader, input.workspaceId, { limit: input.limit + 1, before })
    const current = await findCurrentState(reader, input.workspaceId)
    const items = rows.slice(0, input.limit)
    const last = rows.length > input.limit ? items.at(-1) : undefined
    return {
      items: items.map((row) => stateVersionView(row, row.id === current?.id)),
      next_cursor: last ? String(last.version) : null,
    }
  })
}

/** One version. Throws `not_found`. */
export async function getStateVersion(deps: Deps, id: string): Promise<StateVersion> {
  const row = await requireVersion(deps, id)
  return deps.store.read(async (reader) => {
    const current = await findCurrentState(reader, row.workspace_id)
    return stateVersionView(row, row.id === current?.id)
  })
}

/** The bytes of one version. Throws `not_found`. */
export async function stateVersionContent(deps: Deps, id: string): Promise<StateContent> {
  return contentOf(deps, await requireVersion(deps, id))
}

/** The bytes of a workspace's current state. Throws `not_found` when it has none. */
export async function currentStateContent(deps: Deps, workspaceId: string): Promise<StateContent> {
  const row = await deps.store.read((reader) => findCurrentState(reader, workspaceId))
  if (!row) throw new ApiError('not_found', `workspace ${workspaceId} has no state`)
  return contentOf(deps, row)
}

function stateVersionView(row: StateVersionRow, isCurrent: boolean): StateVersion {
  return {
    id: String(row.id),
    workspace_id: row.workspace_id,
    version: row.version,
    serial: row.serial,
    lineage: row.lineage,
    checksum: row.sha256,
    size: row.size_bytes,
    task_id: row.task_id,
    current: isCurrent,
    rescued: row.rescued === 1,
    checksum_unverified: row.checksum_unverified === 1,
    promoted_from: row.promoted_from === null ? null : String(row.promoted_from),
    created_at: rfc3339(row.created_at),
  }
}

function contentOf(deps: Deps, row: StateVersionRow): StateContent {
  const { version, sha256, size_bytes: sizeBytes } = row
  return { version, sha256, sizeBytes, bytes: streamBlob(deps.store, sha256) }
}

async function requireVersion(deps: Deps, id: string): Promise<StateVersionRow> {
  const row = /^\d{1,15}$/.test(id)
    ? await deps.store.read((reader) => findStateVersion(reader, Number(id)))
    : undefined
  if (!row) throw new ApiError('not_found', `state version ${id} does not exist`)
  return row
}

function readNumber(text: string, field: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text)
  throw new ApiError('invalid_request', `${field} is not one of ours`, { field })
}
