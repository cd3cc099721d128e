/** Agents themselves: register, deregister, heartbeat over HTTP, and whether one is connected. */
import { ApiError, agentFleetEndpoints } from '@iac-agent/protocol'
import type { Clock } from '@iac-agent/runtime'
import type { FastifyInstance } from 'fastify'
import { ccStatus } from '../../domain/agents/agent-view.js'
import { deregisterAgent } from '../../domain/agents/deregister-agent.js'
import { heartbeat } from '../../domain/agents/heartbeat.js'
import { registerAgent } from '../../domain/agents/register-agent.js'
import type { Store } from '../../store/store.js'
import { route } from '../route.js'

export interface FleetRouteDeps {
  readonly store: Store
  readonly clock: Clock
  readonly heartbeatIntervalMs: number
  readonly leaseTtlMs: number
  readonly storeEpoch: number
}

export async function fleetRoutes(app: FastifyInstance, deps: FleetRouteDeps): Promise<void> {
  route(app, agentFleetEndpoints.register, ({ body, caller }) => registerAgent(deps, { caller, request: body }))
  route(app, agentFleetEndpoints.deregister, async ({ params, caller }) => {
    await deregisterAgent(deps, { agentId: params.agent_id, caller })
    return {}
  })
  route(app, agentFleetEndpoints.ccStatus, ({ params, caller }) =>
    ccStatus(deps, { agentId: params.agent_id, poolId: caller?.poolId }),
  )
  route(app, agentFleetEndpoints.heartbeat, async ({ params, body, caller }) => {
    const said = await heartbeat(deps, { agentId: params.agent_id, beat: body, caller })
    if (said === undefined) throw new ApiError('not_found', `agent ${params.agent_id} does not exist`)
    return { desired: said.desired, draining: said.draining, store_epoch: deps.storeEpoch }
  })
  route(app, agentFleetEndpoints.control, () => {
    throw new ApiError('invalid_request', 'this is a WebSocket: connect with an Upgrade')
  })
}
