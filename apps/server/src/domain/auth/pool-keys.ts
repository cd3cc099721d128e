/** Key pairs by which agents of a pool identify themselves. */

import { ApiError, type NewPoolKey, type PoolKey } from '@iac-agent/protocol'
import type { Clock } from '@iac-agent/runtime'
import { insertPoolKey, listPoolKeyRows, type PoolKeyRow, revokePoolKeyRow } from '../../store/access-rows.js'
import type { Store } from '../../store/store.js'
import { type ListPage, type ListQuery, listPage, pageRequest } from '../list-page.js'
import { newId } from '../new-id.js'
import { rfc3339, rfc3339OrNull } from '../rfc3339.js'
import { hashOf, newAppKey, newSecret } from './credentials.js'
import { requirePool } from './pools.js'

const dayMs = 86_400_000

interface Deps {
  store: Store
  clock: Clock
}

/** Makes a pair; its secret is in this answer and nowhere else. @param input.expiresInDays default: never */
export function createPoolKey(
  deps: Deps,
  input: { poolId: string; expiresInDays?: number | undefined },
): Promise<NewPoolKey> {
  const now = deps.clock.now()
  const secret = newSecret('ias')
  const row: PoolKeyRow = {
    id: newId('key', now),
    pool_id: input.poolId,
    app_key: newAppKey(),
    secret_hash: hashOf(secret),
    description: null,
    created_at: now,
    expires_at: input.expiresInDays === undefined ? null : now + input.expiresInDays * dayMs,
    revoked_at: null,
    last_used_at: null,
  }
  return deps.store.transaction('create_key', async (tx) => {
    await requirePool(tx, input.poolId)
    await insertPoolKey(tx, row)
    return { id: row.id, app_key: row.app_key, app_secret: secret, expires_at: rfc3339OrNull(row.expires_at) }
  })
}

export function listPoolKeys(deps: Deps, input: { poolId: string; query: ListQuery }): Promise<ListPage<PoolKey>> {
  return deps.store.read(async (reader) => {
    await requirePool(reader, input.poolId)
    return listPage(await listPoolKeyRows(reader, input.poolId, pageRequest(input.query)), keyView)
  })
}

/** From the answer on the pair is refused and its sockets are closed; again is the same. */
export function revokePoolKey(deps: Deps, input: { poolId: string; keyId: string }): Promise<void> {
  return deps.store.transaction('revoke_key', async (tx) => {
    const changed = await revokePoolKeyRow(tx, input.poolId, input.keyId, deps.clock.now())
    if (changed === 0) throw new ApiError('not_found', `pool ${input.poolId} has no key ${input.keyId}`)
    tx.changed({ kind: 'key', keyId: input.keyId })
  })
}

function keyView(row: PoolKeyRow): PoolKey {
  return {
    id: row.id,
    app_key: row.app_key,
    created_at: rfc3339(row.created_at),
    expires_at: rfc3339OrNull(row.expires_at),
    revoked_at: rfc3339OrNull(row.revoked_at),
  }
}
