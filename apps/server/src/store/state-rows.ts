/** State versions of workspaces; their bytes are blobs. */
import type { Insertable, Selectable } from 'kysely'
import type { WorkspaceStateVersionsTable } from './schema/results.js'
import type { Reader, Tx } from './store.js'

export type StateVersionRow = Selectable<WorkspaceStateVersionsTable>
export type NewStateVersion = Omit<Insertable<WorkspaceStateVersionsTable>, 'id' | 'version'>

/** The version `workspaces.tf_state` points at; undefined while the workspace has none. */
export function findCurrentState(reader: Reader, workspaceId: string): Promise<StateVersionRow | undefined> {
  return reader.db
    .selectFrom('workspaces')
    .innerJoin('workspace_state_versions', 'workspace_state_versions.id', 'workspaces.tf_state')
    .selectAll('workspace_state_versions')
    .where('workspaces.id', '=', workspaceId)
    .executeTakeFirst()
}

export function findStateVersion(reader: Reader, id: number): Promise<StateVersionRow | undefined> {
  return reader.db.selectFrom('workspace_state_versions').selectAll().where('id', '=', id).executeTakeFirst()
}

/** A version of the workspace with this serial and these bytes; the current one first. */
export function findSameState(
  reader: Reader,
  workspaceId: string,
  serial: number,
  sha256: string,
): Promise<StateVersionRow | undefined> {
  return reader.db
    .selectFrom('workspace_state_versions')
    .selectAll()
    .where('workspace_id', '=', workspaceId)
    .where('serial', '=', serial)
    .where('sha256', '=', sha256)
    .orderBy('rescued')
    .orderBy('version', 'desc')
    .executeTakeFirst()
}

/** Versions of a workspace, newest first; `before` is the version number the page before ended at. */
export function listStateVersions(
  reader: Reader,
  workspaceId: string,
  page: { limit: number; before?: number | undefined },
): Promise<StateVersionRow[]> {
  const all = reader.db.selectFrom('workspace_state_versions').selectAll().where('workspace_id', '=', workspaceId)
  const older = page.before === undefined ? all : all.where('version', '<', page.before)
  return older.orderBy('version', 'desc').limit(page.limit).execute()
}

/** The highest serial among the workspace's versions of a lineage, rescued ones included; -1 when there is none. */
export async function highestSerial(reader: Reader, workspaceId: string, lineage: string): Promise<number> {
  const row = await reader.db
    .selectFrom('workspace_state_versions')
    .select(({ fn }) => fn.max('serial').as('highest'))
    .where('workspace_id', '=', workspaceId)
    .where('lineage', '=', lineage)
    .executeTakeFirst()
  return Number(row?.highest ?? -1)
}

/** Adds a version with the workspace's next number; it is not current yet. */
export async function insertStateVersion(tx: Tx, row: NewStateVersion): Promise<StateVersionRow> {
  const { last } = await tx.db
    .selectFrom('workspace_state_versions')
    .select(({ fn }) => fn.max('version').as('last'))
    .where('workspace_id', '=', row.workspace_id)
    .executeTakeFirstOrThrow()
  const version = Number(last ?? 0) + 1
  return tx.db
    .insertInto('workspace_state_versions')
    .values({ ...row, version })
    .returningAll()
    .executeTakeFirstOrThrow()
}

/** Makes `version` the workspace's current state, and its lineage the workspace's. */
export async function setCurrentState(tx: Tx, version: StateVersionRow, now: number): Promise<void> {
  const { numUpdatedRows } = await tx.db
    .updateTable('workspaces')
    .set({ tf_state: version.id, lineage: version.lineage, updated_at: now })
    .where('id', '=', version.workspace_id)
    .executeTakeFirst()
  if (numUpdatedRows !== 1n) throw new Error(`workspace ${version.workspace_id} vanished while its state was stored`)
}

/** The task whose apply may still write the workspace's state; undefined when none can. */
export async function findStateWriter(reader: Reader, workspaceId: string): Promise<number | undefined> {
  const row = await reader.db
    .selectFrom('task_attempts')
    .innerJoin('workspace_tasks', 'workspace_tasks.id', 'task_attempts.task_id')
    .select('task_attempts.task_id')
    .where('workspace_tasks.workspace_id', '=', workspaceId)
    .where('task_attempts.phase', '=', 'apply')
    .where('task_attempts.state', '!=', 'final')
    .executeTakeFirst()
  return row?.task_id
}
