/** Who a request comes from, once its credentials were checked. */
import type { AgentCaller } from '../domain/attempts/agent-caller.js'
import type { OperatorIdentity } from '../domain/auth/token-check.js'

declare module 'fastify' {
  interface FastifyRequest {
    /** set on routes of audience `agent`, `attempt`, and on `agent_or_operator` when an agent calls */
    caller: AgentCaller | undefined
    /** set on operators' routes, and on `agent_or_operator` when an operator calls */
    operator: OperatorIdentity | undefined
  }
}
