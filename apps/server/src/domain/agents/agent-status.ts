/** The words agents use for themselves in heartbeats, read from rows. */
import type { AgentRow } from '../../store/agent-rows.js'

export function isDraining(agent: Pick<AgentRow, 'status' | 'draining'>): boolean {
  return agent.draining === 1 || agent.status === 'draining'
}

export function isDegraded(agent: Pick<AgentRow, 'status'>): boolean {
  return agent.status === 'degraded'
}

/** Registered agents speak the whole protocol; the others only the seed's. */
export function isSeedOnly(agent: Pick<AgentRow, 'registered_at'>): boolean {
  return agent.registered_at === null
}
