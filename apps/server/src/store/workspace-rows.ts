/** Rows of workspaces. */
import type { Insertable, Selectable, Updateable } from 'kysely'
import { type PageOf, type PageRequest, pageOf } from './page-of-rows.js'
import type { WorkspacesTable } from './schema/workspaces.js'
import type { Reader, Tx } from './store.js'

type WorkspaceRow = Selectable<WorkspacesTable>
export type NewWorkspace = Insertable<WorkspacesTable>

/** With what a view shows beside the row: the number of the current state version, the task that holds it and since when. */
export interface WorkspaceViewRow extends WorkspaceRow {
  state_version: number | null
  held_since: number | null
}

export async function insertWorkspace(tx: Tx, row: NewWorkspace): Promise<void> {
  await tx.db.insertInto('workspaces').values(row).execute()
}

export async function findWorkspace(reader: Reader, id: string): Promise<WorkspaceViewRow | undefined> {
  return withViews(reader).where('workspaces.id', '=', id).executeTakeFirst()
}

export async function findWorkspaceByName(reader: Reader, name: string): Promise<WorkspaceViewRow | undefined> {
  return withViews(reader).where('workspaces.name', '=', name).executeTakeFirst()
}

export async function listWorkspaceRows(
  reader: Reader,
  { after, limit }: PageRequest,
): Promise<PageOf<WorkspaceViewRow>> {
  const workspaces = withViews(reader).where('workspaces.id', '>', after).orderBy('workspaces.id')
  return pageOf(await workspaces.limit(limit + 1).execute(), limit)
}

/** Answers rows changed. */
export async function updateWorkspace(tx: Tx, id: string, patch: Updateable<WorkspacesTable>): Promise<number> {
  const { numUpdatedRows } = await tx.db.updateTable('workspaces').set(patch).where('id', '=', id).executeTakeFirst()
  return Number(numUpdatedRows)
}

/** Deletes a workspace with everything of it; answers rows deleted. */
export async function deleteWorkspaceRow(tx: Tx, id: string): Promise<number> {
  const { numDeletedRows } = await tx.db.deleteFrom('workspaces').where('id', '=', id).executeTakeFirst()
  return Number(numDeletedRows)
}

/** A task of the workspace that is not final, if any. */
export async function findOpenTask(reader: Reader, workspaceId: string): Promise<number | undefined> {
  const row = await reader.db
    .selectFrom('workspace_tasks')
    .select('id')
    .where('workspace_id', '=', workspaceId)
    .where('completed_at', 'is', null)
    .limit(1)
    .executeTakeFirst()
  return row?.id
}

function withViews(reader: Reader) {
  return reader.db
    .selectFrom('workspaces')
    .leftJoin('workspace_state_versions as state', 'state.id', 'workspaces.tf_state')
    .leftJoin('workspace_tasks as holder', 'holder.id', 'workspaces.locked_by_task')
    .selectAll('workspaces')
    .select(['state.version as state_version', 'holder.started_at as held_since'])
}
