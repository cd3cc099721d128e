/** Makes an agent known and connected without a socket: registered, or seed-only. */
import { protocolVersion } from '@iac-agent/protocol'
import type { Clock } from '@iac-agent/runtime'
import { admitAgent, agentConnected } from '../../src/domain/agents/connect-agent.js'
import { registerAgent } from '../../src/domain/agents/register-agent.js'
import type { Store } from '../../src/store/store.js'
import type { RememberingLink } from './remembering-link.js'

interface Deps {
  readonly store: Store
  readonly clock: Clock
  readonly link: RememberingLink
  readonly heartbeatIntervalMs: number
  readonly leaseTtlMs: number
}

interface Newcomer {
  readonly agentId: string
  readonly poolId: string
  readonly isSeedOnly?: boolean
  readonly workRoot?: string
  readonly planLimit?: number
}

export async function connectAs(deps: Deps, newcomer: Newcomer): Promise<void> {
  const { agentId, poolId, isSeedOnly = false, workRoot = '/work', planLimit = 3 } = newcomer
  if (!isSeedOnly) {
    await registerAgent(deps, {
      caller: { poolId, keyId: 'key' },
      request: {
        agent_id: agentId,
        name: agentId,
        version: '1.0.0',
        protocol_version: protocolVersion,
        labels: {},
        plan_limit: planLimit,
        capabilities: {},
        work_root: workRoot,
      },
    })
  }
  await admitAgent(deps, { agentId, poolId })
  await agentConnected(deps, { agentId, connectionId: `connection of ${agentId}` })
  deps.link.connected.add(agentId)
}
