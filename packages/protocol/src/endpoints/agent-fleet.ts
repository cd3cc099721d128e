/** Agent API, agent by agent: register, deregister, C&C, heartbeat. */
import { type Static, Type } from 'typebox'
import { defineEndpoint } from '../endpoint.js'
import { limits } from '../limits.js'
import { Heartbeat } from '../messages/agent-messages.js'
import { Desired } from '../messages/desired.js'
import { Empty, Labels, Nullable, TaskId, Timestamp } from '../words/common.js'
import { Engine } from '../words/task-words.js'

const tag = 'agent'
const AgentIdParams = Type.Object({ agent_id: Type.String({ minLength: 1, maxLength: limits.nameLength }) })

/** What an agent can run: engines with the versions at hand, and whether it can fetch others. */
export const Capabilities = Type.Object({
  engines: Type.Optional(Type.Array(Engine)),
  platform: Type.Optional(Type.String({ description: 'e.g. linux_amd64' })),
})
export type Capabilities = Static<typeof Capabilities>

export const RegisterRequest = Type.Object({
  agent_id: Type.Optional(Type.String({ minLength: 1, maxLength: limits.nameLength })),
  name: Type.String({ minLength: 1, maxLength: limits.nameLength }),
  version: Type.String({ maxLength: 64 }),
  protocol_version: Type.Integer({ minimum: 0 }),
  labels: Labels,
  plan_limit: Type.Integer({ minimum: 1, maximum: 1000 }),
  capabilities: Capabilities,
  work_root: Type.String({
    minLength: 1,
    maxLength: 4096,
    description: 'absolute; an apply goes to an agent with the same',
  }),
})
export type RegisterRequest = Static<typeof RegisterRequest>

export const RegisterAnswer = Type.Object({
  agent_id: Type.String(),
  pool_id: Type.String(),
  heartbeat_interval_ms: Type.Integer(),
  lease_ttl_ms: Type.Integer(),
  protocol_version: Type.Integer(),
})
export type RegisterAnswer = Static<typeof RegisterAnswer>

export const CcStatus = Type.Object({
  agent_id: Type.String(),
  connected: Type.Boolean(),
  status: Type.String(),
  last_heartbeat_at: Nullable(Timestamp),
  plan_running: Type.Integer(),
  plan_limit: Type.Integer(),
  apply_running: Type.Boolean(),
  current_tasks: Type.Array(TaskId),
  cpu_usage: Nullable(Type.Number()),
  mem_usage: Nullable(Type.Number()),
})
export type CcStatus = Static<typeof CcStatus>

export const agentFleetEndpoints = {
  register: defineEndpoint({
    name: 'registerAgent',
    method: 'POST',
    path: '/api/v1/agents/register',
    audience: 'agent',
    tag,
    summary: 'Registers this agent; the same agent_id again is the same agent.',
    body: { json: RegisterRequest, limitBytes: limits.jsonBodyBytes },
    answer: { status: 200, json: RegisterAnswer },
  }),
  deregister: defineEndpoint({
    name: 'deregisterAgent',
    method: 'DELETE',
    path: '/api/v1/agents/:agent_id',
    audience: 'agent_or_operator',
    tag,
    summary: 'Removes an agent; 409 while it has live attempts.',
    params: AgentIdParams,
    answer: { status: 200, json: Empty },
  }),
  control: defineEndpoint({
    name: 'controlSocket',
    method: 'GET',
    path: '/api/v1/agents/control',
    audience: 'agent',
    tag,
    summary: 'The C&C WebSocket: needs an upgrade, without one 400.',
    query: Type.Object({ agent_id: Type.String({ minLength: 1, maxLength: limits.nameLength }) }),
    answer: { status: 101 },
  }),
  ccStatus: defineEndpoint({
    name: 'getAgentControlStatus',
    method: 'GET',
    path: '/api/v1/agents/:agent_id/cc-status',
    audience: 'agent_or_operator',
    tag,
    summary: 'Whether the agent is connected, and what its last heartbeat said.',
    params: AgentIdParams,
    answer: { status: 200, json: CcStatus },
  }),
  heartbeat: defineEndpoint({
    name: 'heartbeat',
    method: 'POST',
    path: '/api/v1/agents/:agent_id/heartbeat',
    audience: 'agent',
    tag,
    summary: 'A heartbeat over HTTP, for networks that block WebSockets; answers what welcome carries.',
    params: AgentIdParams,
    body: { json: Heartbeat, limitBytes: limits.jsonBodyBytes },
    answer: { status: 200, json: Desired },
  }),
} as const
