/** The agent's own requests, beside those of its attempts: each one request. */
import {
  type CcStatus,
  type Desired,
  agentFleetEndpoints as endpoints,
  type Heartbeat,
  type RegisterAnswer,
  type RegisterRequest,
} from '@iac-agent/protocol'
import type { ServerRequest } from './request.js'

export class AgentApi {
  constructor(private readonly request: ServerRequest) {}

  /** The same `agent_id` again is the same agent. */
  async register(agent: RegisterRequest, signal?: AbortSignal): Promise<RegisterAnswer> {
    return this.request.call(endpoints.register, { json: agent, signal })
  }

  async deregister(agentId: string): Promise<void> {
    await this.request.call(endpoints.deregister, { params: { agent_id: agentId } })
  }

  /** For networks that block WebSockets; answers what `welcome` carries. */
  async heartbeat(agentId: string, heartbeat: Heartbeat, signal?: AbortSignal): Promise<Desired> {
    return this.request.call(endpoints.heartbeat, { params: { agent_id: agentId }, json: heartbeat, signal })
  }

  /** What the server knows of this agent's connection (`doctor`). */
  async ccStatus(agentId: string): Promise<CcStatus> {
    return this.request.call(endpoints.ccStatus, { params: { agent_id: agentId } })
  }
}
