/** An operator's wish that an agent gets no new work: kept on its row, so it outlives connections, restarts and registrations. */
import { type Agent, ApiError } from '@iac-agent/protocol'
import { updateAgent } from '../../store/agent-rows.js'
import type { Store } from '../../store/store.js'
import type { AgentLink } from '../ports.js'
import { getAgent } from './agent-view.js'

interface Deps {
  readonly store: Store
  readonly link: AgentLink
}

/** What runs there goes on. The message only hastens: `welcome` and `heartbeat_ack` say it again. Idempotent. @throws ApiError `not_found` */
export async function drainAgent(deps: Deps, input: { agentId: string; reason: string }): Promise<Agent> {
  await setDraining(deps.store, input.agentId, true)
  deps.link.drainAgent(input.agentId, input.reason)
  return getAgent(deps, input)
}

/** Idempotent. @throws ApiError `not_found` */
export async function undrainAgent(deps: Deps, input: { agentId: string }): Promise<Agent> {
  await setDraining(deps.store, input.agentId, false)
  deps.link.undrainAgent(input.agentId)
  return getAgent(deps, input)
}

function setDraining(store: Store, agentId: string, draining: boolean): Promise<void> {
  return store.transaction('drain_agent', async (tx) => {
    const rows = await updateAgent(tx, agentId, { draining })
    if (rows === 0) throw new ApiError('not_found', `agent ${agentId} does not exist`)
    tx.changed({ kind: 'agent', agentId })
  })
}
