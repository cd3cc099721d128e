/** Resources of a workspace, one document each; every change is a new version. */
import { ApiError, type Resource, type ResourceCreate, type ResourceUpdate } from '@iac-agent/protocol'
import type { Clock } from '@iac-agent/runtime'
import type { Reader, Store, Tx } from '../../store/store.js'
import { isUniqueViolation } from '../../store/store-error.js'
import {
  deleteResourceRow,
  findResource,
  insertResource,
  insertResourceVersion,
  listResourceRows,
  type ResourceRow,
  updateResourceRow,
} from '../../store/workspace-item-rows.js'
import { type ListPage, type ListQuery, listPage, pageRequest } from '../list-page.js'
import { newId } from '../new-id.js'
import { rfc3339 } from '../rfc3339.js'
import { requireWorkspace } from './require-workspace.js'
import { codeOf } from './workspace-view.js'

interface Deps {
  store: Store
  clock: Clock
}

interface Place {
  workspaceId: string
  resourceId: string
}

/** @throws ApiError `conflict` for a type and name taken */
export function createResource(
  deps: Deps,
  input: { workspaceId: string; by: string; body: ResourceCreate },
): Promise<Resource> {
  const { resource_type, resource_name, tf_code } = input.body
  const now = deps.clock.now()
  return guarded(`${resource_type}.${resource_name}`, () =>
    deps.store.transaction('create_resource', async (tx) => {
      const { id: workspaceId } = await requireWorkspace(tx, input.workspaceId)
      const id = newId('res', now)
      const row = { id, workspace_id: workspaceId, resource_type, resource_name }
      await insertResource(tx, { ...row, current_version: 1, created_at: now, updated_at: now })
      await insertVersion(tx, id, { version: 1, tf_code, by: input.by, now })
      return changed(tx, { workspaceId, resourceId: id })
    }),
  )
}

export function listResources(
  deps: Deps,
  input: { workspaceId: string; query: ListQuery },
): Promise<ListPage<Resource>> {
  return deps.store.read(async (reader) => {
    const { id } = await requireWorkspace(reader, input.workspaceId)
    return listPage(await listResourceRows(reader, id, pageRequest(input.query)), resourceView)
  })
}

export function changeResource(deps: Deps, input: Place & { by: string; patch: ResourceUpdate }): Promise<Resource> {
  const now = deps.clock.now()
  const { tf_code, ...names } = input.patch
  return guarded(`${names.resource_type ?? ''}.${names.resource_name ?? ''}`, () =>
    deps.store.transaction('change_resource', async (tx) => {
      const row = await requireResource(tx, input)
      const version = row.current_version + 1
      await insertVersion(tx, row.id, { version, tf_code: tf_code ?? codeOf(row.tf_code), by: input.by, now })
      await updateResourceRow(tx, row.id, { ...names, current_version: version, updated_at: now })
      return changed(tx, { workspaceId: row.workspace_id, resourceId: row.id })
    }),
  )
}

/** Tasks made from now on no longer have it. */
export function deleteResource(deps: Deps, input: Place): Promise<void> {
  return deps.store.transaction('delete_resource', async (tx) => {
    const row = await requireResource(tx, input)
    await deleteResourceRow(tx, row.workspace_id, row.id)
    tx.changed({ kind: 'workspace', workspaceId: row.workspace_id })
  })
}

async function insertVersion(
  tx: Tx,
  resourceId: string,
  one: { version: number; tf_code: unknown; by: string; now: number },
): Promise<void> {
  const { version, by, now } = one
  const code = JSON.stringify(one.tf_code)
  await insertResourceVersion(tx, { resource_id: resourceId, version, tf_code: code, created_by: by, created_at: now })
}

async function changed(tx: Tx, place: Place): Promise<Resource> {
  tx.changed({ kind: 'workspace', workspaceId: place.workspaceId })
  return resourceView(await requireResource(tx, place))
}

async function requireResource(reader: Reader, { workspaceId, resourceId }: Place): Promise<ResourceRow> {
  const workspace = await requireWorkspace(reader, workspaceId)
  const row = await findResource(reader, workspace.id, resourceId)
  if (row === undefined) throw new ApiError('not_found', `workspace ${workspace.id} has no resource ${resourceId}`)
  return row
}

async function guarded<T>(address: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (err) {
    throw isUniqueViolation(err) ? new ApiError('conflict', `a resource ${address} exists`) : err
  }
}

function resourceView(row: ResourceRow): Resource {
  return {
    id: row.id,
    resource_type: row.resource_type,
    resource_name: row.resource_name,
    tf_code: codeOf(row.tf_code),
    version: row.current_version,
    created_at: rfc3339(row.created_at),
    updated_at: rfc3339(row.updated_at),
  }
}
