/** Operator API: pools of agents, their key pairs, and operator tokens. */
import { type Static, Type } from 'typebox'
import { defineEndpoint } from '../endpoint.js'
import { limits } from '../limits.js'
import { Empty, Name, Nullable, PageQuery, page, Timestamp } from '../words/common.js'

const tag = 'pools and tokens'
const limitBytes = limits.jsonBodyBytes
const IdParams = Type.Object({ id: Type.String() })

export const Role = Type.Enum(['admin', 'operator', 'read_only'])
export type Role = Static<typeof Role>

export const Pool = Type.Object({ id: Type.String(), name: Type.String(), created_at: Timestamp })
export type Pool = Static<typeof Pool>

export const PoolKey = Type.Object({
  id: Type.String(),
  app_key: Type.String(),
  created_at: Timestamp,
  expires_at: Nullable(Timestamp),
  revoked_at: Nullable(Timestamp),
})
export type PoolKey = Static<typeof PoolKey>

/** The secret is shown this once. */
export const NewPoolKey = Type.Object({
  id: Type.String(),
  app_key: Type.String(),
  app_secret: Type.String(),
  expires_at: Nullable(Timestamp),
})
export type NewPoolKey = Static<typeof NewPoolKey>

export const OperatorToken = Type.Object({ id: Type.String(), name: Type.String(), role: Role, created_at: Timestamp })
export type OperatorToken = Static<typeof OperatorToken>

/** The token is shown this once. */
export const NewOperatorToken = Type.Object({
  id: Type.String(),
  name: Type.String(),
  role: Role,
  token: Type.String(),
})
export type NewOperatorToken = Static<typeof NewOperatorToken>

export const poolEndpoints = {
  create: defineEndpoint({
    name: 'createPool',
    method: 'POST',
    path: '/api/v1/pools',
    audience: 'admin',
    tag,
    summary: 'Creates a pool of agents.',
    body: { json: Type.Object({ name: Name }, { additionalProperties: false }), limitBytes },
    answer: { status: 201, json: Pool },
  }),
  list: defineEndpoint({
    name: 'listPools',
    method: 'GET',
    path: '/api/v1/pools',
    audience: 'read_only',
    tag,
    summary: 'Lists pools.',
    query: PageQuery,
    answer: { status: 200, json: page(Pool) },
  }),
  get: defineEndpoint({
    name: 'getPool',
    method: 'GET',
    path: '/api/v1/pools/:id',
    audience: 'read_only',
    tag,
    summary: 'One pool.',
    params: IdParams,
    answer: { status: 200, json: Pool },
  }),
  remove: defineEndpoint({
    name: 'deletePool',
    method: 'DELETE',
    path: '/api/v1/pools/:id',
    audience: 'admin',
    tag,
    summary: 'Deletes a pool; 409 while it has workspaces or agents.',
    params: IdParams,
    answer: { status: 200, json: Empty },
  }),
  createKey: defineEndpoint({
    name: 'createPoolKey',
    method: 'POST',
    path: '/api/v1/pools/:id/keys',
    audience: 'admin',
    tag,
    summary: 'Creates a key pair for agents of the pool; the secret is shown this once.',
    params: IdParams,
    body: {
      json: Type.Object(
        { expires_in_days: Type.Optional(Type.Integer({ minimum: 1, maximum: 3650 })) },
        { additionalProperties: false },
      ),
      limitBytes,
    },
    answer: { status: 201, json: NewPoolKey },
  }),
  listKeys: defineEndpoint({
    name: 'listPoolKeys',
    method: 'GET',
    path: '/api/v1/pools/:id/keys',
    audience: 'admin',
    tag,
    summary: 'Lists key pairs without their secrets.',
    params: IdParams,
    query: PageQuery,
    answer: { status: 200, json: page(PoolKey) },
  }),
  revokeKey: defineEndpoint({
    name: 'revokePoolKey',
    method: 'DELETE',
    path: '/api/v1/pools/:id/keys/:key_id',
    audience: 'admin',
    tag,
    summary: 'Revokes a key pair; its sockets are closed with 4401.',
    params: Type.Object({ id: Type.String(), key_id: Type.String() }),
    answer: { status: 200, json: Empty },
  }),
} as const

export const tokenEndpoints = {
  create: defineEndpoint({
    name: 'createToken',
    method: 'POST',
    path: '/api/v1/tokens',
    audience: 'admin',
    tag,
    summary: 'Creates an operator token; it is shown this once.',
    body: { json: Type.Object({ name: Name, role: Role }, { additionalProperties: false }), limitBytes },
    answer: { status: 201, json: NewOperatorToken },
  }),
  list: defineEndpoint({
    name: 'listTokens',
    method: 'GET',
    path: '/api/v1/tokens',
    audience: 'admin',
    tag,
    summary: 'Lists operator tokens without their values.',
    query: PageQuery,
    answer: { status: 200, json: page(OperatorToken) },
  }),
  remove: defineEndpoint({
    name: 'deleteToken',
    method: 'DELETE',
    path: '/api/v1/tokens/:id',
    audience: 'admin',
    tag,
    summary: 'Deletes an operator token; it is refused from then on.',
    params: IdParams,
    answer: { status: 200, json: Empty },
  }),
} as const
