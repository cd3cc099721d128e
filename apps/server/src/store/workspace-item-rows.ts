/** Rows of a workspace's variables and resources. */
import type { Insertable, Selectable, Updateable } from 'kysely'
import { type PageOf, type PageRequest, pageOf } from './page-of-rows.js'
import type {
  WorkspaceResourcesTable,
  WorkspaceResourceVersionsTable,
  WorkspaceVariablesTable,
} from './schema/workspaces.js'
import type { Reader, Tx } from './store.js'

export type VariableRow = Selectable<WorkspaceVariablesTable>
/** A resource with its current version's code. */
export type ResourceRow = Selectable<WorkspaceResourcesTable> & { tf_code: string; version_at: number }

export async function insertVariable(tx: Tx, row: Insertable<WorkspaceVariablesTable>): Promise<void> {
  await tx.db.insertInto('workspace_variables').values(row).execute()
}

export function findVariable(reader: Reader, workspaceId: string, id: string): Promise<VariableRow | undefined> {
  const variables = reader.db.selectFrom('workspace_variables').selectAll().where('workspace_id', '=', workspaceId)
  return variables.where('id', '=', id).executeTakeFirst()
}

export async function listVariableRows(
  reader: Reader,
  workspaceId: string,
  { after, limit }: PageRequest,
): Promise<PageOf<VariableRow>> {
  const variables = reader.db.selectFrom('workspace_variables').selectAll().where('workspace_id', '=', workspaceId)
  const rows = variables.where('id', '>', after).orderBy('id')
  return pageOf(await rows.limit(limit + 1).execute(), limit)
}

export function allVariables(reader: Reader, workspaceId: string): Promise<VariableRow[]> {
  const variables = reader.db.selectFrom('workspace_variables').selectAll().where('workspace_id', '=', workspaceId)
  return variables.orderBy('id').execute()
}

export async function updateVariableRow(
  tx: Tx,
  id: string,
  patch: Updateable<WorkspaceVariablesTable>,
): Promise<number> {
  const result = await tx.db.updateTable('workspace_variables').set(patch).where('id', '=', id).executeTakeFirst()
  return Number(result.numUpdatedRows)
}

/** Answers rows deleted. */
export async function deleteVariableRow(tx: Tx, workspaceId: string, id: string): Promise<number> {
  const variables = tx.db.deleteFrom('workspace_variables').where('workspace_id', '=', workspaceId)
  return Number((await variables.where('id', '=', id).executeTakeFirst()).numDeletedRows)
}

export async function insertResource(tx: Tx, row: Insertable<WorkspaceResourcesTable>): Promise<void> {
  await tx.db.insertInto('workspace_resources').values(row).execute()
}

export async function insertResourceVersion(tx: Tx, row: Insertable<WorkspaceResourceVersionsTable>): Promise<void> {
  await tx.db.insertInto('workspace_resource_versions').values(row).execute()
}

export function findResource(reader: Reader, workspaceId: string, id: string): Promise<ResourceRow | undefined> {
  return resources(reader, workspaceId).where('resource.id', '=', id).executeTakeFirst()
}

export async function listResourceRows(
  reader: Reader,
  workspaceId: string,
  { after, limit }: PageRequest,
): Promise<PageOf<ResourceRow>> {
  const rows = resources(reader, workspaceId).where('resource.id', '>', after).orderBy('resource.id')
  return pageOf(await rows.limit(limit + 1).execute(), limit)
}

export function allResources(reader: Reader, workspaceId: string): Promise<ResourceRow[]> {
  return resources(reader, workspaceId).orderBy('resource.id').execute()
}

export async function updateResourceRow(
  tx: Tx,
  id: string,
  patch: Updateable<WorkspaceResourcesTable>,
): Promise<number> {
  const result = await tx.db.updateTable('workspace_resources').set(patch).where('id', '=', id).executeTakeFirst()
  return Number(result.numUpdatedRows)
}

/** Deletes a resource with its versions; answers rows deleted. */
export async function deleteResourceRow(tx: Tx, workspaceId: string, id: string): Promise<number> {
  const rows = tx.db.deleteFrom('workspace_resources').where('workspace_id', '=', workspaceId)
  return Number((await rows.where('id', '=', id).executeTakeFirst()).numDeletedRows)
}

function resources(reader: Reader, workspaceId: string) {
  return reader.db
    .selectFrom('workspace_resources as resource')
    .innerJoin('workspace_resource_versions as version', (join) =>
      join.onRef('version.resource_id', '=', 'resource.id').onRef('version.version', '=', 'resource.current_version'),
    )
    .selectAll('resource')
    .select(['version.tf_code', 'version.created_at as version_at'])
    .where('resource.workspace_id', '=', workspaceId)
}
