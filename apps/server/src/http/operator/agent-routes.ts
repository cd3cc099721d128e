/** The agents of all pools. */
import { agentEndpoints } from '@iac-agent/protocol'
import type { FastifyInstance } from 'fastify'
import { getAgent, listAgents } from '../../domain/agents/agent-view.js'
import { drainAgent, undrainAgent } from '../../domain/agents/drain-agent.js'
import type { AgentLink } from '../../domain/ports.js'
import type { Store } from '../../store/store.js'
import { route } from '../route.js'

export function agentRoutes(app: FastifyInstance, deps: { store: Store; link: AgentLink }): void {
  route(app, agentEndpoints.list, ({ query }) => listAgents(deps, query))
  route(app, agentEndpoints.get, ({ params }) => getAgent(deps, { agentId: params.agent_id }))
  route(app, agentEndpoints.drain, ({ params, body, operator }) =>
    drainAgent(deps, { agentId: params.agent_id, reason: body.reason ?? `${operator.name} asked for it` }),
  )
  route(app, agentEndpoints.undrain, ({ params }) => undrainAgent(deps, { agentId: params.agent_id }))
}
