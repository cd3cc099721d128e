/** The fence: who may speak for a task, and whether what it says still counts. Every task route of the agent API passes here. */
import { ApiError } from '@iac-agent/protocol'
import type { Clock } from '@iac-agent/runtime'
import { findAgent } from '../../store/agent-rows.js'
import { type AttemptRow, findAttempt } from '../../store/attempt-rows.js'
import { renewLease } from '../../store/lease-rows.js'
import type { Reader, Tx } from '../../store/store.js'
import { findTask, markUnreachable, type TaskRow } from '../../store/task-rows.js'
import { acceptOffer } from './accept-offer.js'
import type { AgentCaller } from './agent-caller.js'
import type { FencedAttempt } from './fenced-attempt.js'
import { attemptOfToken, isLeaseOf } from './lease-token.js'

/**
 * Finds the caller's attempt; when it is current, its offer counts as accepted, its lease is renewed and its task is reachable.
 * @throws ApiError `not_found` for an unknown task, `forbidden` for somebody else's or without the lease
 */
export async function requireAttempt(
  tx: Tx,
  caller: AgentCaller,
  taskId: number,
  clock: Clock,
): Promise<FencedAttempt> {
  return touchAttempt(tx, await requireAttemptRead(tx, caller, taskId), clock)
}

/** The same check without its effects, for reads. */
export async function requireAttemptRead(reader: Reader, caller: AgentCaller, taskId: number): Promise<FencedAttempt> {
  const task = await findTask(reader, taskId)
  if (task === undefined) throw new ApiError('not_found', `task ${taskId} does not exist`)
  if (task.pool_id !== caller.poolId) throw notYours(taskId)
  const attempt =
    caller.lease === undefined
      ? await seedOnlyAttempt(reader, caller, task)
      : await leasedAttempt(reader, caller, task, caller.lease)
  return { task, attempt, stale: isStale(task, attempt) }
}

/** For live frames: the socket is the identity. A registered agent's attempt is named, a stale one is told. */
export async function requireLiveAttempt(
  tx: Tx,
  agentId: string,
  taskId: number,
  number: number,
  clock: Clock,
): Promise<FencedAttempt> {
  const task = await findTask(tx, taskId)
  if (task === undefined) throw new ApiError('not_found', `task ${taskId} does not exist`)
  const attempt = await findAttempt(tx, taskId, number)
  if (attempt === undefined || attempt.agent_id !== agentId) throw notYours(taskId)
  return touchAttempt(tx, { task, attempt, stale: isStale(task, attempt) }, clock)
}

/** What hearing from a current attempt means: accepted, renewed, reachable. */
export async function touchAttempt(tx: Tx, fenced: FencedAttempt, clock: Clock): Promise<FencedAttempt> {
  const { task, attempt, stale } = fenced
  if (stale) return fenced
  if (attempt.state === 'offered') return acceptOffer(tx, task, attempt, clock)
  const now = clock.monotonic()
  const isFresh = attempt.lease_expires_at - now > attempt.lease_ttl_ms * 0.9
  if (!isFresh && (await renewLease(tx, task.id, attempt.number, now)) === 0) return { task, attempt, stale: true }
  if (task.unreachable_since === null) return fenced
  await markUnreachable(tx, task.id, null)
  tx.changed({ kind: 'task', taskId: task.id })
  return { task: { ...task, unreachable_since: null }, attempt, stale }
}

async function leasedAttempt(reader: Reader, caller: AgentCaller, task: TaskRow, lease: string): Promise<AttemptRow> {
  const number = attemptOfToken(lease)
  const attempt = number === undefined ? undefined : await findAttempt(reader, task.id, number)
  if (attempt === undefined || !isLeaseOf(attempt, lease)) throw notYours(task.id)
  if (caller.agentId !== undefined && caller.agentId !== attempt.agent_id) throw notYours(task.id)
  return attempt
}

/** A seed-only agent has no lease: the task's newest attempt is its own, or, without X-Agent-ID, one of its kind in the pool. */
async function seedOnlyAttempt(reader: Reader, caller: AgentCaller, task: TaskRow): Promise<AttemptRow> {
  const attempt = task.attempt === 0 ? undefined : await findAttempt(reader, task.id, task.attempt)
  if (attempt === undefined) throw notYours(task.id)
  if (caller.agentId !== undefined && caller.agentId !== attempt.agent_id) throw notYours(task.id)
  const agent = await findAgent(reader, attempt.agent_id)
  if (agent?.pool_id !== caller.poolId) throw notYours(task.id)
  if (attempt.seed_only === 0 || agent.registered_at !== null) {
    throw new ApiError('forbidden', `task ${task.id} belongs to a registered agent: its X-Task-Lease is missing`)
  }
  return attempt
}

function isStale(task: TaskRow, attempt: AttemptRow): boolean {
  return attempt.number !== task.attempt || attempt.state === 'final'
}

function notYours(taskId: number): ApiError {
  return new ApiError('forbidden', `task ${taskId} is not this agent's`)
}
