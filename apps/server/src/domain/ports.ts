/** What the domain needs of the outside: a way to speak to connected agents. Every message may be lost; the database is the truth. */
import type { Phase, TaskType } from '@iac-agent/protocol'

/** Handed over with an offer. */
export interface OfferedLease {
  readonly attempt: number
  readonly leaseToken: string
  readonly leaseTtlMs: number
}

/** The seed's C&C methods, and the two of drain. Those that send answer whether a socket took the message, not whether it arrived. */
export interface AgentLink {
  sendTaskToAgent(agentId: string, taskId: number, workspaceId: string, action: Phase, lease: OfferedLease): boolean
  cancelTaskOnAgent(agentId: string, taskId: number, options?: { attempt: number; force: boolean }): boolean
  startRealtimeStream(agentId: string, taskId: number): boolean
  stopRealtimeStream(agentId: string, taskId: number): boolean
  /** connected, not draining, and below its limits by its last heartbeat */
  isAgentAvailable(agentId: string, taskType: TaskType): boolean
  getConnectedAgents(): string[]
  /** take no new work; also said in every `welcome` and `heartbeat_ack` */
  drainAgent(agentId: string, reason: string): boolean
  undrainAgent(agentId: string): boolean
}
