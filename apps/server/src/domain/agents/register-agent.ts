/** An agent introduces itself: from then on it speaks the whole protocol. */
import { randomUUID } from 'node:crypto'
import { ApiError, isServed, protocolVersion, type RegisterAnswer, type RegisterRequest } from '@iac-agent/protocol'
import type { Clock } from '@iac-agent/runtime'
import { findAgent, insertAgent, updateAgent } from '../../store/agent-rows.js'
import type { Store } from '../../store/store.js'
import type { AgentCaller } from '../attempts/agent-caller.js'
import { keptOf, requireItself } from './agent-proof.js'

export interface RegisterDeps {
  readonly store: Store
  readonly clock: Clock
  readonly heartbeatIntervalMs: number
  readonly leaseTtlMs: number
}

/**
 * Idempotent by `agent_id`: the same id again is the same agent, with its facts renewed. The first secret it says is its own for good.
 * @throws ApiError `version_skew`; `forbidden` when the id belongs to another pool, or is known by another secret
 */
export async function registerAgent(
  deps: RegisterDeps,
  input: { caller: AgentCaller; request: RegisterRequest },
): Promise<RegisterAnswer> {
  const { caller, request } = input
  requireServed(request.protocol_version)
  const agentId = request.agent_id ?? `agent-${randomUUID()}`
  await deps.store.transaction('register_agent', async (tx) => {
    const now = deps.clock.now()
    const known = await findAgent(tx, agentId)
    if (known !== undefined) requireItself(known, caller)
    const secretHash = keptOf(caller.agentSecret)
    const facts = {
      name: request.name,
      version: request.version,
      protocol_version: request.protocol_version,
      labels: JSON.stringify(request.labels),
      plan_limit: request.plan_limit,
      capabilities: JSON.stringify(request.capabilities),
      work_root: request.work_root,
      registered_at: known?.registered_at ?? now,
      ...(secretHash === undefined ? {} : { secret_hash: secretHash }),
    }
    if (known === undefined) await insertAgent(tx, { ...facts, id: agentId, pool_id: caller.poolId, created_at: now })
    else await updateAgent(tx, agentId, facts)
    tx.changed({ kind: 'agent', agentId })
  })
  return {
    agent_id: agentId,
    pool_id: caller.poolId,
    heartbeat_interval_ms: deps.heartbeatIntervalMs,
    lease_ttl_ms: deps.leaseTtlMs,
    protocol_version: protocolVersion,
  }
}

/** @throws ApiError `version_skew` naming both versions */
export function requireServed(agentVersion: number): void {
  if (isServed(protocolVersion, agentVersion)) return
  const message = `the agent speaks protocol ${agentVersion}, the server ${protocolVersion}: upgrade the older one`
  throw new ApiError('version_skew', message, { agent: agentVersion, server: protocolVersion })
}
