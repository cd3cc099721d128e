/** Operator API: the agents that run tasks. */
import { type Static, Type } from 'typebox'
import { defineEndpoint } from '../endpoint.js'
import { limits } from '../limits.js'
import { Labels, Nullable, PageQuery, page, TaskId, Timestamp } from '../words/common.js'
import { Shortage } from '../words/shortage.js'

export const Agent = Type.Object({
  id: Type.String(),
  name: Type.String(),
  pool_id: Type.String(),
  status: Type.Enum(['online', 'offline']),
  state: Nullable(Type.String({ description: "the agent's own word: idle, busy, draining, degraded" })),
  draining: Type.Boolean({ description: "an operator's wish: it gets no new work" }),
  registered: Type.Boolean({ description: 'false for a seed-only agent' }),
  version: Nullable(Type.String()),
  labels: Labels,
  plan_limit: Type.Integer(),
  plan_running: Type.Integer(),
  apply_running: Type.Boolean(),
  current_tasks: Type.Array(TaskId),
  cpu_usage: Nullable(Type.Number()),
  mem_usage: Nullable(Type.Number()),
  disk_free_bytes: Nullable(Type.Integer()),
  shortage: Nullable(Shortage),
  work_root: Nullable(Type.String()),
  last_heartbeat_at: Nullable(Timestamp),
  clock_skew_ms: Nullable(Type.Integer({ description: "the agent's clock minus the server's" })),
  created_at: Timestamp,
})
export type Agent = Static<typeof Agent>

const agentTag = 'agents'
const AgentParams = Type.Object({ agent_id: Type.String() })
const exact = { additionalProperties: false } as const
const DrainRequest = Type.Object(
  { reason: Type.Optional(Type.String({ minLength: 1, maxLength: limits.descriptionLength })) },
  exact,
)

export const agentEndpoints = {
  list: defineEndpoint({
    name: 'listAgents',
    method: 'GET',
    path: '/api/v1/agents',
    audience: 'read_only',
    tag: agentTag,
    summary: 'Lists agents.',
    query: PageQuery,
    answer: { status: 200, json: page(Agent) },
  }),
  get: defineEndpoint({
    name: 'getAgent',
    method: 'GET',
    path: '/api/v1/agents/:agent_id',
    audience: 'read_only',
    tag: agentTag,
    summary: 'One agent.',
    params: AgentParams,
    answer: { status: 200, json: Agent },
  }),
  drain: defineEndpoint({
    name: 'drainAgent',
    method: 'POST',
    path: '/api/v1/agents/:agent_id/drain',
    audience: 'operator',
    tag: agentTag,
    summary: 'Gives the agent no new work, until undrain; what it runs goes on.',
    params: AgentParams,
    body: { json: DrainRequest, limitBytes: limits.jsonBodyBytes },
    answer: { status: 202, json: Agent },
  }),
  undrain: defineEndpoint({
    name: 'undrainAgent',
    method: 'POST',
    path: '/api/v1/agents/:agent_id/undrain',
    audience: 'operator',
    tag: agentTag,
    summary: 'Takes a drain back: the agent gets work again.',
    params: AgentParams,
    body: { json: Type.Object({}, exact), limitBytes: limits.jsonBodyBytes },
    answer: { status: 202, json: Agent },
  }),
} as const
