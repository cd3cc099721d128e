/** Operator API: state versions and outputs of a workspace; and what is open to everybody. */
import { type Static, Type } from 'typebox'
import { defineEndpoint } from '../endpoint.js'
import { limits } from '../limits.js'
import { Nullable, PageQuery, page, TaskId, Timestamp } from '../words/common.js'

const tag = 'states'
const reader = { audience: 'read_only', tag } as const
const IdParams = Type.Object({ id: Type.String() })

export const StateVersion = Type.Object({
  id: Type.String(),
  workspace_id: Type.String(),
  version: Type.Integer({ minimum: 1 }),
  serial: Nullable(Type.Integer()),
  lineage: Nullable(Type.String()),
  checksum: Type.String({ description: 'hex SHA-256 of the bytes as stored' }),
  size: Type.Integer(),
  task_id: Nullable(TaskId),
  current: Type.Boolean(),
  rescued: Type.Boolean({ description: 'from a stale writer: kept, never current by itself' }),
  checksum_unverified: Type.Boolean(),
  promoted_from: Nullable(Type.String({ description: 'id of the version whose state this is, under a new serial' })),
  created_at: Timestamp,
})
export type StateVersion = Static<typeof StateVersion>

export const Output = Type.Object({ value: Type.Unknown(), type: Type.Unknown(), sensitive: Type.Boolean() })
export type Output = Static<typeof Output>

export const stateEndpoints = {
  list: defineEndpoint({
    name: 'listStateVersions',
    method: 'GET',
    path: '/api/v1/workspaces/:id/state-versions',
    ...reader,
    summary: 'Lists state versions, newest first.',
    params: IdParams,
    query: PageQuery,
    answer: { status: 200, json: page(StateVersion) },
  }),
  get: defineEndpoint({
    name: 'getStateVersion',
    method: 'GET',
    path: '/api/v1/state-versions/:id',
    ...reader,
    summary: 'One state version.',
    params: IdParams,
    answer: { status: 200, json: StateVersion },
  }),
  content: defineEndpoint({
    name: 'getStateVersionContent',
    method: 'GET',
    path: '/api/v1/state-versions/:id/content',
    audience: 'operator',
    tag,
    summary: 'Its bytes as stored; they hold secrets.',
    params: IdParams,
    answer: { status: 200, raw: 'application/json' },
  }),
  current: defineEndpoint({
    name: 'getState',
    method: 'GET',
    path: '/api/v1/workspaces/:id/state',
    audience: 'operator',
    tag,
    summary: 'The current state, raw. 404 when there is none.',
    params: IdParams,
    answer: { status: 200, raw: 'application/json' },
  }),
  outputs: defineEndpoint({
    name: 'getOutputs',
    method: 'GET',
    path: '/api/v1/workspaces/:id/outputs',
    ...reader,
    summary: 'Outputs of the current state; sensitive values are null.',
    params: IdParams,
    answer: { status: 200, json: Type.Object({ outputs: Type.Record(Type.String(), Output) }) },
  }),
  import: defineEndpoint({
    name: 'importState',
    method: 'POST',
    path: '/api/v1/workspaces/:id/state',
    audience: 'operator',
    tag,
    summary: 'Imports a state file as it is; 409 while a task can write state, or on another lineage.',
    params: IdParams,
    body: { raw: ['application/json', 'application/octet-stream'], limitBytes: limits.stateRawBytes },
    answer: { status: 201, json: StateVersion },
  }),
  promote: defineEndpoint({
    name: 'promoteState',
    method: 'POST',
    path: '/api/v1/workspaces/:id/state-versions/:version_id/promote',
    audience: 'operator',
    tag,
    summary:
      "Makes a version's state the current one again, under the lineage's next serial; 409 while a task can write state.",
    params: Type.Object({ id: Type.String(), version_id: Type.String() }),
    body: { json: Type.Object({}, { additionalProperties: false }), limitBytes: limits.jsonBodyBytes },
    answer: { status: 201, json: StateVersion },
  }),
} as const

export const openEndpoints = {
  livez: defineEndpoint({
    name: 'livez',
    method: 'GET',
    path: '/livez',
    audience: 'open',
    tag: 'open',
    summary: 'The process answers.',
    answer: { status: 200, json: Type.Object({ status: Type.Literal('ok') }) },
  }),
  readyz: defineEndpoint({
    name: 'readyz',
    method: 'GET',
    path: '/readyz',
    audience: 'open',
    tag: 'open',
    summary: 'The store answers; else 503.',
    answer: { status: 200, json: Type.Object({ status: Type.Literal('ok') }) },
  }),
  version: defineEndpoint({
    name: 'version',
    method: 'GET',
    path: '/version',
    audience: 'open',
    tag: 'open',
    summary: 'Version of the server and of its protocol.',
    answer: {
      status: 200,
      json: Type.Object({ version: Type.String(), protocol_version: Type.Integer(), time: Timestamp }),
    },
  }),
  metrics: defineEndpoint({
    name: 'metrics',
    method: 'GET',
    path: '/metrics',
    audience: 'read_only',
    tag: 'open',
    summary: 'Prometheus metrics; with --metrics-public for anybody.',
    answer: { status: 200, raw: 'text/plain; version=0.0.4; charset=utf-8' },
  }),
} as const
