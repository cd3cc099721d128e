/** The first thing every test needs of a server: a pool and a key for its agents. */
import type { OperatorClient } from '@iac-agent/client'

/** A pool's id and a pair of credentials for agents of it. */
export interface PoolAndKey {
  poolId: string
  key: { id: string; app_key: string; app_secret: string }
}

/** Makes both; the name must be new on this server. */
export async function createPoolAndKey(client: OperatorClient, name = 'pool'): Promise<PoolAndKey> {
  const pool = await client.pools.create({ body: { name } })
  const key = await client.pools.createKey({ params: { id: pool.id } })
  return { poolId: pool.id, key }
}
