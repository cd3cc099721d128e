/** The fence: who may speak for a task, and whether what it says still counts. Every task route of the agent API passes here. */
import { ApiError } from '@iac-agent/protocol'
import type { Clock } from '@iac-agent/runtime'
import { findAgent } from '../../store/agent-rows.js'
import type { AttemptRow } from '../../store/attempt-rows.js'
import {
  type FencedAttemptRow,
  type FencedTask,
  findTaskWithAttempt,
  type TaskWithAttempt,
} from '../../store/fence-rows.js'
import { renewLease } from '../../store/lease-rows.js'
import type { Reader, Tx } from '../../store/store.js'
import { markUnreachable } from '../../store/task-rows.js'
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
  const found = await findFenced(tx, caller, taskId)
  if (found.lost === undefined) return touchAttempt(tx, found, clock)
  return { ...found, attempt: await takeUpLost(tx, found.task, found.lost, clock.now()) }
}

/** The same check without its effects, for reads. */
export function requireAttemptRead(reader: Reader, caller: AgentCaller, taskId: number): Promise<FencedAttempt> {
  return findFenced(reader, caller, taskId)
}

interface Found extends FencedAttempt {
  /** the row to take up, when `attempt` is not in this store */
  readonly lost?: AttemptRow
}

async function findFenced(reader: Reader, caller: AgentCaller, taskId: number): Promise<Found> {
  if (caller.lease !== undefined) return leasedAttempt(reader, caller, taskId, caller.lease)
  const found = findTaskWithAttempt(reader, taskId, undefined)
  if (found === undefined) throw new ApiError('not_found', `task ${taskId} does not exist`)
  const { task } = found
  if (task.pool_id !== caller.poolId) throw notYours(taskId)
  const attempt = await seedOnlyAttempt(reader, caller, found)
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
  const found = findTaskWithAttempt(tx, taskId, number)
  if (found === undefined) throw new ApiError('not_found', `task ${taskId} does not exist`)
  const { task, attempt } = found
  if (attempt === undefined || attempt.agent_id !== agentId) throw notYours(taskId)
  return touchAttempt(tx, { task, attempt, stale: isStale(task, attempt) }, clock)
}

/** What hearing from a current attempt means: accepted, renewed, reachable. */
export async function touchAttempt(tx: Tx, fenced: FencedAttempt, clock: Clock): Promise<FencedAttempt> {
  const { task, attempt, stale } = fenced
  if (stale) return fenced
  if (attempt.state === 'offered') return acceptOffer(tx, fenced, clock)
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

function isFresh(attempt: FencedAttemptRow, now: number): boolean {
  return attempt.lease_expires_at - now > attempt.lease_ttl_ms * 0.9
}

async function leasedAttempt(reader: Reader, caller: AgentCaller, taskId: number, lease: string): Promise<Found> {
  const number = attemptOfToken(lease)
  if (number === undefined) throw notYours(taskId)
  const found = findTaskWithAttempt(reader, taskId, number)
  if (found === undefined) throw unknownAttempt(taskId, number)
  const { task, attempt } = found
  if (attempt === undefined) {
    const lost = await lostAttempt(reader, caller, task, number)
    if (lost === undefined) throw unknownAttempt(taskId, number)
    return { task, attempt: lost, stale: true, lost }
  }
  const isAgents = caller.agentId === undefined || caller.agentId === attempt.agent_id
  if (task.pool_id !== caller.poolId || !isLeaseOf(attempt, lease) || !isAgents) throw notYours(taskId)
  return { task, attempt, stale: isStale(task, attempt) }
}

/** A seed-only agent has no lease: the task's newest attempt is its own, or, without X-Agent-ID, one of its kind in the pool. */
async function seedOnlyAttempt(
  reader: Reader,
  caller: AgentCaller,
  { task, attempt }: TaskWithAttempt,
): Promise<FencedAttemptRow> {
  if (attempt === undefined) throw notYours(task.id)
  if (caller.agentId !== undefined && caller.agentId !== attempt.agent_id) throw notYours(task.id)
  const agent = await findAgent(reader, attempt.agent_id)
  if (agent?.pool_id !== caller.poolId) throw notYours(task.id)
  if (attempt.seed_only === 0 || agent.registered_at !== null) {
    throw new ApiError('forbidden', `task ${task.id} belongs to a registered agent: its X-Task-Lease is missing`)
  }
  return attempt
}

function isStale(task: FencedTask, attempt: FencedAttemptRow): boolean {
  return attempt.number !== task.attempt || attempt.state === 'final'
}

/** A verdict, not a fault: the store was restored from a backup that is older than the attempt. */
function unknownAttempt(taskId: number, number: number): ApiError {
  return new ApiError('unknown_attempt', `attempt ${number} of task ${taskId} is not known here (any more)`)
}

function notYours(taskId: number): ApiError {
  return new ApiError('forbidden', `task ${taskId} is not this agent's`)
}
