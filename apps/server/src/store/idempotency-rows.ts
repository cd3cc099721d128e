/** Which request made which task: a repeat with the same key answers the same task. */
import type { Selectable } from 'kysely'
import type { IdempotencyKeysTable } from './schema/tasks.js'
import type { Reader, Tx } from './store.js'

export type IdempotencyKeyRow = Selectable<IdempotencyKeysTable>

export async function findIdempotencyKey(
  reader: Reader,
  scope: string,
  key: string,
): Promise<IdempotencyKeyRow | undefined> {
  return reader.db
    .selectFrom('idempotency_keys')
    .selectAll()
    .where('scope', '=', scope)
    .where('key', '=', key)
    .executeTakeFirst()
}

export async function insertIdempotencyKey(tx: Tx, row: IdempotencyKeyRow): Promise<void> {
  await tx.db.insertInto('idempotency_keys').values(row).execute()
}

export async function deleteIdempotencyKey(tx: Tx, scope: string, key: string): Promise<void> {
  await tx.db.deleteFrom('idempotency_keys').where('scope', '=', scope).where('key', '=', key).execute()
}
