/** Pools: who agents and workspaces belong to. */

import { ApiError, type Pool } from '@iac-agent/protocol'
import type { Clock } from '@iac-agent/runtime'
import {
  deletePoolRow,
  findPool,
  findPoolByName,
  insertPool,
  listPoolRows,
  type PoolRow,
  poolUser,
} from '../../store/access-rows.js'
import type { Reader, Store } from '../../store/store.js'
import { type ListPage, type ListQuery, listPage, pageRequest } from '../list-page.js'
import { newId } from '../new-id.js'
import { rfc3339 } from '../rfc3339.js'

interface Deps {
  store: Store
  clock: Clock
}

/** @throws ApiError `conflict` for a name taken */
export function createPool(deps: Deps, input: { name: string }): Promise<Pool> {
  const now = deps.clock.now()
  const row: PoolRow = { id: newId('pool', now), name: input.name, created_at: now }
  return deps.store.transaction('create_pool', async (tx) => {
    if (await findPoolByName(tx, input.name)) throw new ApiError('conflict', `a pool named ${input.name} exists`)
    await insertPool(tx, row)
    return poolView(row)
  })
}

export function listPools(deps: Deps, query: ListQuery): Promise<ListPage<Pool>> {
  return deps.store.read(async (reader) => listPage(await listPoolRows(reader, pageRequest(query)), poolView))
}

export function getPool(deps: Deps, id: string): Promise<Pool> {
  return deps.store.read(async (reader) => poolView(await requirePool(reader, id)))
}

/** With its keys. @throws ApiError `conflict` while workspaces or agents belong to it */
export function deletePool(deps: Deps, id: string): Promise<void> {
  return deps.store.transaction('delete_pool', async (tx) => {
    await requirePool(tx, id)
    const user = await poolUser(tx, id)
    if (user !== undefined) throw new ApiError('conflict', `pool ${id} still has ${user}`, { has: user })
    for (const keyId of await deletePoolRow(tx, id)) tx.changed({ kind: 'key', keyId })
  })
}

/** @throws ApiError `not_found` */
export async function requirePool(reader: Reader, id: string): Promise<PoolRow> {
  const pool = await findPool(reader, id)
  if (pool === undefined) throw new ApiError('not_found', `pool ${id} does not exist`)
  return pool
}

function poolView(row: PoolRow): Pool {
  return { id: row.id, name: row.name, created_at: rfc3339(row.created_at) }
}
