/** Workspaces: what is planned and applied as one. */
import { randomUUID } from 'node:crypto'
import { ApiError, type Workspace, type WorkspaceCreate, type WorkspaceUpdate } from '@iac-agent/protocol'
import type { Clock } from '@iac-agent/runtime'
import type { Store, Tx } from '../../store/store.js'
import {
  deleteWorkspaceRow,
  findOpenTask,
  findWorkspaceByName,
  insertWorkspace,
  listWorkspaceRows,
  updateWorkspace,
} from '../../store/workspace-rows.js'
import { requirePool } from '../auth/pools.js'
import { type ListPage, type ListQuery, listPage, pageRequest } from '../list-page.js'
import { newId } from '../new-id.js'
import { requireWorkspace } from './require-workspace.js'
import { settingColumns } from './workspace-settings.js'
import { workspaceView } from './workspace-view.js'

interface Deps {
  store: Store
  clock: Clock
}

/** Fixes the lineage of its states. @throws ApiError `conflict` for a name taken, `not_found` for the pool */
export function createWorkspace(deps: Deps, input: WorkspaceCreate): Promise<Workspace> {
  const { name, pool_id, ...settings } = input
  const now = deps.clock.now()
  const columns = settingColumns(settings)
  const fixed = { id: newId('ws', now), name, pool_id, lineage: randomUUID(), created_at: now, updated_at: now }
  return deps.store.transaction('create_workspace', async (tx) => {
    await requirePool(tx, pool_id)
    await refuseTakenName(tx, name)
    await insertWorkspace(tx, { ...columns, ...fixed })
    tx.changed({ kind: 'workspace', workspaceId: fixed.id })
    return workspaceView(await requireWorkspace(tx, fixed.id))
  })
}

export function listWorkspaces(deps: Deps, query: ListQuery): Promise<ListPage<Workspace>> {
  return deps.store.read(async (reader) => listPage(await listWorkspaceRows(reader, pageRequest(query)), workspaceView))
}

export function getWorkspace(deps: Deps, idOrName: string): Promise<Workspace> {
  return deps.store.read(async (reader) => workspaceView(await requireWorkspace(reader, idOrName)))
}

/** Tasks made before keep the settings they were made with. @throws ApiError as createWorkspace */
export function changeWorkspace(deps: Deps, input: { id: string; patch: WorkspaceUpdate }): Promise<Workspace> {
  const { name, pool_id, ...settings } = input.patch
  const columns = settingColumns(settings)
  return deps.store.transaction('change_workspace', async (tx) => {
    const workspace = await requireWorkspace(tx, input.id)
    if (pool_id !== undefined) await requirePool(tx, pool_id)
    if (name !== undefined && name !== workspace.name) await refuseTakenName(tx, name)
    const named = { ...(name === undefined ? {} : { name }), ...(pool_id === undefined ? {} : { pool_id }) }
    await updateWorkspace(tx, workspace.id, { ...columns, ...named, updated_at: deps.clock.now() })
    tx.changed({ kind: 'workspace', workspaceId: workspace.id })
    return workspaceView(await requireWorkspace(tx, workspace.id))
  })
}

/** Deletes it with its tasks, logs and states. @throws ApiError `conflict` while a task of it is not final */
export function deleteWorkspace(deps: Deps, idOrName: string): Promise<void> {
  return deps.store.transaction('delete_workspace', async (tx) => {
    const { id } = await requireWorkspace(tx, idOrName)
    const openTask = await findOpenTask(tx, id)
    if (openTask !== undefined)
      throw new ApiError('conflict', `task ${openTask} of workspace ${id} is not final`, { task_id: openTask })
    await deleteWorkspaceRow(tx, id)
    tx.changed({ kind: 'workspace', workspaceId: id })
  })
}

async function refuseTakenName(tx: Tx, name: string): Promise<void> {
  if (await findWorkspaceByName(tx, name)) throw new ApiError('conflict', `a workspace named ${name} exists`)
}
