/** Operators' tokens. */

import { tokenEndpoints } from '@iac-agent/protocol'
import type { Clock } from '@iac-agent/runtime'
import type { FastifyInstance } from 'fastify'
import { createToken, deleteToken, listTokens } from '../../domain/auth/tokens.js'
import type { Store } from '../../store/store.js'
import { route } from '../route.js'

export function tokenRoutes(app: FastifyInstance, deps: { store: Store; clock: Clock }): void {
  route(app, tokenEndpoints.create, ({ body }) => createToken(deps, body))
  route(app, tokenEndpoints.list, ({ query }) => listTokens(deps, query))
  route(app, tokenEndpoints.remove, async ({ params }) => {
    await deleteToken(deps, params.id)
    return {}
  })
}
