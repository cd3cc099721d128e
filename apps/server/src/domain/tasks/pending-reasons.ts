/** Why each of some tasks waits, derived from what the store knows now. */
import type { PendingReason } from '@iac-agent/protocol'
import { findAttempt } from '../../store/attempt-rows.js'
import type { Reader } from '../../store/store.js'
import type { TaskRow } from '../../store/task-rows.js'
import { type PlacementResult, placeTasks } from '../placement.js'
import * as reasons from '../placement-reasons.js'
import { loadPlacementView } from '../placement-view.js'

/** Answers a reason for every task of `tasks` that waits; tasks that run or have ended are left out. */
export async function pendingReasons(
  reader: Reader,
  tasks: readonly TaskRow[],
  now: number,
): Promise<Map<number, PendingReason>> {
  const found = new Map<number, PendingReason>()
  const unplaced: TaskRow[] = []
  for (const task of tasks) {
    if (task.status !== 'pending' && task.status !== 'apply_pending') continue
    const plain = await plainReason(reader, task)
    if (plain === undefined) unplaced.push(task)
    else found.set(task.id, plain)
  }
  if (unplaced.length === 0) return found
  const placed = await placedNow(reader, now)
  const agentOf = new Map(placed.placements.map((placement) => [placement.taskId, placement.agentId]))
  for (const task of unplaced) {
    const reason = placed.reasons.get(task.id) ?? reasons.awaitingAgent(agentOf.get(task.id) ?? '')
    found.set(task.id, reason)
  }
  return found
}

/** A refusal counts for seconds: what was derived holds for a part of one. */
const rememberMs = 250
const remembered = new WeakMap<object, { at: number; placed: PlacementResult }>()

/** Placement looks at all that waits and all agents: those who ask about the same data share one look. */
async function placedNow(reader: Reader, now: number): Promise<PlacementResult> {
  const snapshot = reader.hot.snapshot()
  const known = remembered.get(snapshot)
  if (known !== undefined && Math.abs(now - known.at) < rememberMs) return known.placed
  const placed = placeTasks(await loadPlacementView(reader, now))
  remembered.set(snapshot, { at: now, placed })
  return placed
}

/** What can be said without looking at agents: nobody confirmed, or an offer is open. */
async function plainReason(reader: Reader, task: TaskRow): Promise<PendingReason | undefined> {
  if (task.status === 'apply_pending' && task.confirmed_at === null) return reasons.awaitingConfirmation()
  const attempt = task.attempt === 0 ? undefined : await findAttempt(reader, task.id, task.attempt)
  return attempt?.state === 'offered' ? reasons.awaitingAgent(attempt.agent_id) : undefined
}
