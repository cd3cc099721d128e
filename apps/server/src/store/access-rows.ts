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

export async function listPoolRows(reader: Reader, page: PageRequest): Promise<PageOf<PoolRow>> {
  const query = reader.db
    .selectFrom('pools')
    .selectAll()
    .orderBy('created_at')
    .orderBy('id')
    .limit(page.limit + 1)
  const { after } = page
  const rows =
    after === undefined
      ? query
      : query.where(({ eb, refTuple, tuple }) => eb(refTuple('created_at', 'id'), '>', tuple(after.at, after.id)))
  return pageOf(await rows.execute(), page)
}

/** Deletes a pool with its keys; @returns rows deleted. */
export async function deletePoolRow(tx: Tx, id: string): Promise<number> {
  const { numDeletedRows } = await tx.db.deleteFrom('pools').where('id', '=', id).executeTakeFirst()
  return Number(numDeletedRows)
}

/** What still belongs to a pool. */
export async function countPoolUsers(reader: Reader, id: string): Promise<{ workspaces: number; agents: number }> {
  const count = async (table: 'workspaces' | 'agents') => {
    const row = await reader.db
      .selectFrom(table)
      .select((eb) => eb.fn.countAll<number>().as('n'))
      .where('pool_id', '=', id)
      .executeTakeFirstOrThrow()
    return Number(row.n)
  }
  return { workspaces: await count('workspaces'), agents: await count('agents') }
}

export async function insertPoolKey(tx: Tx, row: Insertable<PoolKeysTable>): Promise<void> {
  await tx.db.insertInto('pool_keys').values(row).execute()
}

export function findPoolKey(reader: Reader, appKey: string): Promise<PoolKeyRow | undefined> {
  return reader.db.selectFrom('pool_keys').selectAll().where('app_key', '=', appKey).executeTakeFirst()
}

export async function listPoolKeyRows(reader: Reader, poolId: string, page: PageRequest): Promise<PageOf<PoolKeyRow>> {
  const query = reader.db
    .selectFrom('pool_keys')
    .selectAll()
    .where('pool_id', '=', poolId)
    .orderBy('created_at')
    .orderBy('id')
    .limit(page.limit + 1)
  const { after } = page
  const rows =
    after === undefined
      ? query
      : query.where(({ eb, refTuple, tuple }) => eb(refTuple('created_at', 'id'), '>', tuple(after.at, after.id)))
  return pageOf(await rows.execute(), page)
}

/** Marks a key of a pool revoked; @returns 0 when there is no such key; one revoked before keeps its time. */
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

export async function listTokenRows(reader: Reader, page: PageRequest): Promise<PageOf<TokenRow>> {
  const query = reader.db
    .selectFrom('operator_tokens')
    .selectAll()
    .orderBy('created_at')
    .orderBy('id')
    .limit(page.limit + 1)
  const { after } = page
  const rows =
    after === undefined
      ? query
      : query.where(({ eb, refTuple, tuple }) => eb(refTuple('created_at', 'id'), '>', tuple(after.at, after.id)))
  return pageOf(await rows.execute(), page)
}

/** @returns rows deleted. */
export async function deleteTokenRow(tx: Tx, id: string): Promise<number> {
  const { numDeletedRows } = await tx.db.deleteFrom('operator_tokens').where('id', '=', id).executeTakeFirst()
  return Number(numDeletedRows)
}
