/** An AgentLink without sockets: whoever is in `connected` takes every message, and what was said is kept. */
import type { Phase } from '@iac-agent/protocol'
import type { AgentLink, OfferedLease } from '../../src/domain/ports.js'

export interface SaidRun {
  readonly agentId: string
  readonly taskId: number
  readonly phase: Phase
  readonly attempt: number
}

export class RememberingLink implements AgentLink {
  readonly connected = new Set<string>()
  readonly runs: SaidRun[] = []
  /** reason null: taken back */
  readonly drains: { agentId: string; reason: string | null }[] = []
  readonly cancels: { agentId: string; taskId: number; force: boolean }[] = []

  sendTaskToAgent(agentId: string, taskId: number, _workspaceId: string, phase: Phase, lease: OfferedLease): boolean {
    this.runs.push({ agentId, taskId, phase, attempt: lease.attempt })
    return this.connected.has(agentId)
  }

  cancelTaskOnAgent(agentId: string, taskId: number, options = { attempt: 0, force: false }): boolean {
    this.cancels.push({ agentId, taskId, force: options.force })
    return this.connected.has(agentId)
  }

  startRealtimeStream(agentId: string): boolean {
    return this.connected.has(agentId)
  }

  stopRealtimeStream(agentId: string): boolean {
    return this.connected.has(agentId)
  }

  isAgentAvailable(agentId: string): boolean {
    return this.connected.has(agentId)
  }

  drainAgent(agentId: string, reason: string): boolean {
    this.drains.push({ agentId, reason })
    return this.connected.has(agentId)
  }

  undrainAgent(agentId: string): boolean {
    this.drains.push({ agentId, reason: null })
    return this.connected.has(agentId)
  }

  getConnectedAgents(): string[] {
    return [...this.connected]
  }
}
