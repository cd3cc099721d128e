/**
 * Who may speak for an agent: a key of its pool, and its own secret. An agent makes one, says it at its first registration, and proves by
 * it that it is the same agent ever after; what all agents of a pool have, the pair, then speaks for no other. Seed-only agents have none.
 */
import { ApiError } from '@iac-agent/protocol'
import type { AgentRow } from '../../store/agent-rows.js'
import type { AgentCaller } from '../attempts/agent-caller.js'
import { hashOf, isSecretOf } from '../auth/credentials.js'

const bounds = { least: 32, most: 256 }

/**
 * Whether the caller has proven to be the agent; false for one that never said a secret: then every key of its pool speaks for it.
 * @throws ApiError `forbidden` for a key of another pool, another secret than the one said first, or none
 */
export function requireItself(
  agent: Pick<AgentRow, 'id' | 'pool_id' | 'secret_hash'>,
  caller: Pick<AgentCaller, 'poolId' | 'agentSecret'>,
): boolean {
  if (agent.pool_id !== caller.poolId) throw new ApiError('forbidden', `agent ${agent.id} belongs to another pool`)
  if (agent.secret_hash === null) return false
  if (isSecretOf(agent.secret_hash, caller.agentSecret ?? '')) return true
  const message =
    `agent ${agent.id} is known by another X-Agent-Secret; if its data directory was lost, DELETE /api/v1/agents/${agent.id} ` +
    'by an operator lets it in again'
  throw new ApiError('forbidden', message, { header: 'X-Agent-Secret' })
}

/** What the store keeps of a secret said at registration; undefined for none. @throws ApiError `invalid_request` */
export function keptOf(secret: string | undefined): string | undefined {
  if (secret === undefined) return undefined
  if (secret.length >= bounds.least && secret.length <= bounds.most) return hashOf(secret)
  const message = `X-Agent-Secret must have ${bounds.least} to ${bounds.most} characters`
  throw new ApiError('invalid_request', message, { field: 'X-Agent-Secret' })
}
