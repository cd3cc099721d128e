/** The agents of all pools. */
import { agentEndpoints } from '@iac-agent/protocol'
import type { FastifyInstance } from 'fastify'
import { getAgent, listAgents } from '../../domain/agents/agent-view.js'
import type { Store } from '../../store/store.js'
import { route } from '../route.js'

export function agentRoutes(app: FastifyInstance, deps: { store: Store }): void {
  route(app, agentEndpoints.list, ({ query }) => listAgents(deps, query))
  route(app, agentEndpoints.get, ({ params }) => getAgent(deps, { agentId: params.agent_id }))
}
