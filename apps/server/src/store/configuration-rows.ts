/** Uploaded configurations; their bytes are blobs. */
import type { Insertable, Selectable } from 'kysely'
import type { ConfigurationsTable } from './schema/workspaces.js'
import type { Reader, Tx } from './store.js'

export type ConfigurationRow = Selectable<ConfigurationsTable>
export type NewConfiguration = Insertable<ConfigurationsTable>

export async function insertConfiguration(tx: Tx, row: NewConfiguration): Promise<void> {
  await tx.db.insertInto('configurations').values(row).execute()
}

export async function findConfiguration(reader: Reader, id: string): Promise<ConfigurationRow | undefined> {
  return reader.db.selectFrom('configurations').selectAll().where('id', '=', id).executeTakeFirst()
}
