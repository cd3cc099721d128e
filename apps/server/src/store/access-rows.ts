/** Rows of pools, their keys, and operators' tokens. */
import type { Insertable, Selectable } from 'kysely'
import { type PageOf, type PageRequest, pageOf } from './page-of-rows.js'
import type { OperatorTokensTable, PoolKeysTable, PoolsTable } from './schema/access.js'
import type { Reader, Tx } from './store.js'

export type PoolRow = Selectable<PoolsTable>
export type PoolKeyRow = Selectable<PoolKeysTable>
export type TokenRow = Selectable<OperatorTokensTable>

export async function insertPool(tx: Tx, row: PoolRow): Promise<void> {
  await tx.db.insertInto('pools').values(row).execute()
}

export function findPool(reader: Reader, id: string): Promise<PoolRow | undefined> {
  return reader.db.selectFrom('pools').selectAll().where('id', '=', id).executeTakeFirst()
}

export function findPoolByName(reader: Reader, name: string): Promise<PoolRow | undefined> {
  return reader.db.selectFrom('pools').selectAll().where('name', '=', name).executeTakeFirst()
}

export async function listPoolRows(reader: Reader, { after, limit }: PageRequest): Promise<PageOf<PoolRow>> {
  const pools = reader.db.selectFrom('pools').selectAll().where('id', '>', after).orderBy('id')
  return pageOf(await pools.limit(limit + 1).execute(), limit)
}

/** Deletes a pool with its keys; answers the keys' ids. */
export async function deletePoolRow(tx: Tx, id: string): Promise<string[]> {
  const keys = await tx.db.selectFrom('pool_keys').select('id').where('pool_id', '=', id).execute()
  await tx.db.deleteFrom('pools').where('id', '=', id).execute()
  return keys.map((key) => key.id)
}

/** What still belongs to a pool, in words for the refusal; undefined when nothing does. */
export async function poolUser(reader: Reader, id: string): Promise<'workspaces' | 'agents' | undefined> {
  for (const table of ['workspaces', 'agents'] as const) {
    const row = await reader.db.selectFrom(table).select('id').where('pool_id', '=', id).limit(1).executeTakeFirst()
    if (row !== undefined) return table
  }
  return undefined
}

export async function insertPoolKey(tx: Tx, row: Insertable<PoolKeysTable>): Promise<void> {
  await tx.db.insertInto('pool_keys').values(row).execute()
}

export function findPoolKey(reader: Reader, appKey: string): Promise<PoolKeyRow | undefined> {
  return reader.db.selectFrom('pool_keys').selectAll().where('app_key', '=', appKey).executeTakeFirst()
}

export async function listPoolKeyRows(
  reader: Reader,
  poolId: string,
  { after, limit }: PageRequest,
): Promise<PageOf<PoolKeyRow>> {
  const keys = reader.db.selectFrom('pool_keys').selectAll().where('pool_id', '=', poolId).where('id', '>', after)
  const rows = await keys
    .orderBy('id')
    .limit(limit + 1)
    .execute()
  return pageOf(rows, limit)
}

/** Marks a key of a pool revoked; answers 0 when there is no such key. One revoked before keeps its time. */
export async function revokePoolKeyRow(tx: Tx, poolId: string, id: string, now: number): Promise<number> {
  const { numUpdatedRows } = await tx.db
    .updateTable('pool_keys')
    .set(({ fn, val }) => ({ revoked_at: fn.coalesce('revoked_at', val(now)) }))
    .where('id', '=', id)
    .where('pool_id', '=', poolId)
    .executeTakeFirst()
  return Number(numUpdatedRows)
}

export async function insertToken(tx: Tx, row: Insertable<OperatorTokensTable>): Promise<void> {
  await tx.db.insertInto('operator_tokens').values(row).execute()
}

export function findToken(reader: Reader, tokenHash: string): Promise<TokenRow | undefined> {
  return reader.db.selectFrom('operator_tokens').selectAll().where('token_hash', '=', tokenHash).executeTakeFirst()
}

export async function hasTokens(reader: Reader): Promise<boolean> {
  return (await reader.db.selectFrom('operator_tokens').select('id').limit(1).executeTakeFirst()) !== undefined
}

export async function listTokenRows(reader: Reader, { after, limit }: PageRequest): Promise<PageOf<TokenRow>> {
  const tokens = reader.db.selectFrom('operator_tokens').selectAll().where('id', '>', after).orderBy('id')
  return pageOf(await tokens.limit(limit + 1).execute(), limit)
}

/** Answers rows deleted. */
export async function deleteTokenRow(tx: Tx, id: string): Promise<number> {
  const { numDeletedRows } = await tx.db.deleteFrom('operator_tokens').where('id', '=', id).executeTakeFirst()
  return Number(numDeletedRows)
}
