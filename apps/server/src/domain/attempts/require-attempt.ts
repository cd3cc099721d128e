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
import { lostAttempt, takeUpLost } from './lost-attempt.js'

/**
 * Finds the caller's attempt; when it is current, its offer counts as accepted, its lease is renewed and its task is reachable.
 * @throws ApiError `not_found` for an unknown task, `forbidden` for somebody else's or without the lease, `unknown_attempt` for a
 * lease of an attempt that is not in this store (any more)
 */
export async function requireAttempt(
  tx: Tx,
  caller: AgentCaller,
  taskId: number,
  clock: Clock,
): Promise<FencedAttempt> {
  const { isLost, ...fenced } = await findFenced(tx, caller, taskId)
  if (!isLost) return touchAttempt(tx, fenced, clock)
  return { ...fenced, attempt: await takeUpLost(tx, fenced.task, fenced.attempt, clock.now()) }
}

/** The same check without its effects, for reads. */
export async function requireAttemptRead(reader: Reader, caller: AgentCaller, taskId: number): Promise<FencedAttempt> {
  const { task, attempt, stale } = await findFenced(reader, caller, taskId)
  return { task, attempt, stale }
}

async function findFenced(
  reader: Reader,
  caller: AgentCaller,
  taskId: number,
): Promise<FencedAttempt & { isLost: boolean }> {
  const task = await findTask(reader, taskId)
  if (caller.lease !== undefined) return leasedAttempt(reader, caller, taskId, task, caller.lease)
  if (task === undefined) throw new ApiError('not_found', `task ${taskId} does not exist`)
  if (task.pool_id !== caller.poolId) throw notYours(taskId)
  const attempt = await seedOnlyAttempt(reader, caller, task)
  return { task, attempt, stale: isStale(task, attempt), isLost: false }
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
  if (!isFresh(attempt, now) && (await renewLease(tx, task.id, attempt.number, now)) === 0)
    return { task, attempt, stale: true }
  if (task.unreachable_since === null) return fenced
  await markUnreachable(tx, task.id, null)
  tx.changed({ kind: 'task', taskId: task.id })
  return { task: { ...task, unreachable_since: null }, attempt, stale }
}

/** Whether hearing from it changes nothing: it is accepted, renewed and reachable. */
export function isTouched({ task, attempt, stale }: FencedAttempt, clock: Clock): boolean {
  return !stale && attempt.state === 'live' && task.unreachable_since === null && isFresh(attempt, clock.monotonic())
}

function isFresh(attempt: AttemptRow, now: number): boolean {
  return attempt.lease_expires_at - now > attempt.lease_ttl_ms * 0.9
}

async function leasedAttempt(
  reader: Reader,
  caller: AgentCaller,
  taskId: number,
  task: TaskRow | undefined,
  lease: string,
): Promise<FencedAttempt & { isLost: boolean }> {
  const number = attemptOfToken(lease)
  if (number === undefined) throw notYours(taskId)
  if (task === undefined) throw unknownAttempt(taskId, number)
  const attempt = await findAttempt(reader, taskId, number)
  if (attempt === undefined) {
    const lost = await lostAttempt(reader, caller, task, number)
    if (lost === undefined) throw unknownAttempt(taskId, number)
    return { task, attempt: lost, stale: true, isLost: true }
  }
  const isAgents = caller.agentId === undefined || caller.agentId === attempt.agent_id
  if (task.pool_id !== caller.poolId || !isLeaseOf(attempt, lease) || !isAgents) throw notYours(taskId)
  return { task, attempt, stale: isStale(task, attempt), isLost: false }
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

/** A verdict, not a fault: the store was restored from a backup that is older than the attempt. */
function unknownAttempt(taskId: number, number: number): ApiError {
  return new ApiError('unknown_attempt', `attempt ${number} of task ${taskId} is not known here (any more)`)
}

function notYours(taskId: number): ApiError {
  return new ApiError('forbidden', `task ${taskId} is not this agent's`)
}
