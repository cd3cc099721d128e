/** The words agents use for themselves in heartbeats, read from rows. */
import type { Shortage } from '@iac-agent/protocol'
import type { AgentRow } from '../../store/agent-rows.js'

export function isDraining(agent: Pick<AgentRow, 'status' | 'draining'>): boolean {
  return agent.draining === 1 || agent.status === 'draining'
}

export function isDegraded(agent: Pick<AgentRow, 'status'>): boolean {
  return agent.status === 'degraded'
}

/** What a degraded agent said it is short of; null when it did not say. */
export function shortageOf(agent: Pick<AgentRow, 'shortage'>): Shortage | null {
  return agent.shortage === null ? null : (JSON.parse(agent.shortage) as Shortage)
}

/** Registered agents speak the whole protocol; the others only the seed's. */
export function isSeedOnly(agent: Pick<AgentRow, 'registered_at'>): boolean {
  return agent.registered_at === null
}
