/** A control connection of an agent opens or closes; its row says so. An id never seen is a seed-only agent. */
import type { Clock } from '@iac-agent/runtime'
import { disconnectAgent, findAgent, insertAgent, updateAgent } from '../../store/agent-rows.js'
import type { Store } from '../../store/store.js'
import { requireItself } from './agent-proof.js'
import { isSeedOnly } from './agent-status.js'

type Deps = { store: Store; clock: Clock }

export interface Admission {
  readonly isSeedOnly: boolean
  /** it said the secret it is known by */
  readonly isProven: boolean
}

/**
 * Makes sure the agent may connect with a key of this pool.
 * @throws ApiError `forbidden` when it belongs to another pool, or is known by another secret
 */
export function admitAgent(
  deps: Deps,
  input: { agentId: string; poolId: string; agentSecret?: string },
): Promise<Admission> {
  return deps.store.transaction('admit_agent', async (tx) => {
    const known = await findAgent(tx, input.agentId)
    if (known === undefined) {
      const row = { id: input.agentId, pool_id: input.poolId, name: input.agentId, created_at: deps.clock.now() }
      await insertAgent(tx, row)
      return { isSeedOnly: true, isProven: false }
    }
    return { isSeedOnly: isSeedOnly(known), isProven: requireItself(known, input) }
  })
}

/** The newest connection speaks for the agent. */
export function agentConnected(deps: Deps, input: { agentId: string; connectionId: string }): Promise<void> {
  return deps.store.transaction('agent_connected', async (tx) => {
    await updateAgent(tx, input.agentId, {
      online: 1,
      connection_id: input.connectionId,
      connected_at: deps.clock.now(),
    })
    tx.changed({ kind: 'agent', agentId: input.agentId })
  })
}

/** Nothing changes when a newer connection has taken over. */
export function agentDisconnected(deps: Deps, input: { agentId: string; connectionId: string }): Promise<void> {
  return deps.store.transaction('agent_disconnected', async (tx) => {
    const rows = await disconnectAgent(tx, input.agentId, input.connectionId)
    if (rows > 0) tx.changed({ kind: 'agent', agentId: input.agentId })
  })
}
