/** Pools and their keys. */

import { poolEndpoints } from '@iac-agent/protocol'
import type { Clock } from '@iac-agent/runtime'
import type { FastifyInstance } from 'fastify'
import { createPoolKey, listPoolKeys, revokePoolKey } from '../../domain/auth/pool-keys.js'
import { createPool, deletePool, getPool, listPools } from '../../domain/auth/pools.js'
import type { Store } from '../../store/store.js'
import { route } from '../route.js'

export function poolRoutes(app: FastifyInstance, deps: { store: Store; clock: Clock }): void {
  route(app, poolEndpoints.create, ({ body }) => createPool(deps, body))
  route(app, poolEndpoints.list, ({ query }) => listPools(deps, query))
  route(app, poolEndpoints.get, ({ params }) => getPool(deps, params.id))
  route(app, poolEndpoints.remove, async ({ params }) => {
    await deletePool(deps, params.id)
    return {}
  })
  route(app, poolEndpoints.createKey, ({ params, body }) =>
    createPoolKey(deps, { poolId: params.id, expiresInDays: body.expires_in_days }),
  )
  route(app, poolEndpoints.listKeys, ({ params, query }) => listPoolKeys(deps, { poolId: params.id, query }))
  route(app, poolEndpoints.revokeKey, async ({ params }) => {
    await revokePoolKey(deps, { poolId: params.id, keyId: params.key_id })
    return {}
  })
}
