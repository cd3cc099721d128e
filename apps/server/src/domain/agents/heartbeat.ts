/** A heartbeat: what the agent says of itself is kept, its leases are renewed, and what is wanted of it is answered. */
import type { CurrentTask, Desired, Heartbeat } from '@iac-agent/protocol'
import type { Clock } from '@iac-agent/runtime'
import {
  type AgentForHeartbeat,
  agentForHeartbeat,
  type HeartbeatFacts,
  recordHeartbeat,
} from '../../store/agent-rows.js'
import { newestAttemptOf, type OpenAttemptRow, openAttemptsOf } from '../../store/attempt-rows.js'
import type { Store, Tx } from '../../store/store.js'
import type { AgentCaller } from '../attempts/agent-caller.js'
import { heardOf } from '../attempts/heard-of.js'
import { requireItself } from './agent-proof.js'
import { isDraining } from './agent-status.js'
import { desiredState, type ReportedAttempt } from './desired.js'
import { missingOffers, type RunOrder } from './run-order.js'

export interface HeartbeatAnswer extends Omit<Desired, 'store_epoch'> {
  /** what a `run_task` is to be sent for again */
  readonly unknown: readonly RunOrder[]
}

/** Thousands of sockets say so, and none of them waits for the answer: what comes within this time shares one COMMIT. */
const patienceMs = 25
/** An offer younger than this may still be on its way to the agent. */
const offerGraceMs = 2_000

/**
 * One transaction of prepared statements. Idempotent.
 * @param input.caller who says so over HTTP; a socket has proven itself
 * @returns undefined when the agent does not exist (any more)
 * @throws ApiError `forbidden` for a caller who does not speak for this agent
 */
export function heartbeat(
  deps: { store: Store; clock: Clock },
  input: { agentId: string; beat: Heartbeat; caller?: AgentCaller },
): Promise<HeartbeatAnswer | undefined> {
  const { agentId, beat, caller } = input
  return deps.store.transaction(
    'heartbeat',
    async (tx) => {
      const now = deps.clock.now()
      const before = agentForHeartbeat(tx, agentId)
      if (before === undefined) return undefined
      if (caller !== undefined) requireItself(before, caller)
      const facts = factsOf(beat, now)
      await recordHeartbeat(tx, agentId, facts, now)
      if (isNews(before, facts)) tx.changed({ kind: 'agent', agentId })
      const open = await openAttemptsOf(tx, agentId)
      const reported =
        beat.current_tasks === undefined ? undefined : await reportedOf(tx, agentId, open, beat.current_tasks)
      await heardOf(tx, agentId, open, reported, deps.clock)
      const { desired, unknown } = desiredState(open.map(openOf), reported)
      const settledAt = deps.clock.monotonic() - offerGraceMs
      const settled = open.filter((attempt) => attempt.seed_only === 0 && attempt.offered_at <= settledAt)
      const draining = isDraining({ ...before, status: '' })
      return { desired, draining, unknown: missingOffers(settled, unknown) }
    },
    caller === undefined ? patienceMs : 0,
  )
}

export function openOf(row: OpenAttemptRow) {
  return {
    taskId: row.task_id,
    attempt: row.number,
    isCancelRequested: row.cancel_requested_at !== null,
    isForced: row.cancel_force === 1,
  }
}

function factsOf(beat: Heartbeat, now: number): HeartbeatFacts {
  const ids = beat.current_tasks?.map((task) => (typeof task === 'number' ? task : task.task_id))
  return {
    status: beat.status,
    planRunning: beat.plan_running,
    planLimit: beat.plan_limit,
    applyRunning: beat.apply_running === undefined ? undefined : Number(beat.apply_running),
    currentTasks: ids === undefined ? undefined : JSON.stringify(ids),
    cpuUsage: beat.cpu_usage,
    memUsage: beat.mem_usage,
    diskFreeBytes: beat.disk_free_bytes,
    clockSkewMs: skewOf(beat.timestamp, now),
    shortage: beat.shortage === undefined ? undefined : JSON.stringify(beat.shortage),
  }
}

/** The agent's clock minus ours; a number below 1e12 is in seconds. */
function skewOf(timestamp: string | number | undefined, now: number): number | undefined {
  if (timestamp === undefined) return undefined
  const at = typeof timestamp === 'string' ? Date.parse(timestamp) : timestamp < 1e12 ? timestamp * 1000 : timestamp
  return Number.isFinite(at) ? Math.round(at - now) : undefined
}

/** Whether placement may decide otherwise after it. */
function isNews(before: AgentForHeartbeat, facts: HeartbeatFacts): boolean {
  const isOtherStatus = facts.status !== undefined && facts.status !== before.status
  return isOtherStatus || (facts.planLimit !== undefined && facts.planLimit !== before.plan_limit)
}

/** A bare id is the open attempt of that task, or else the newest one this agent had. */
async function reportedOf(
  tx: Tx,
  agentId: string,
  open: readonly OpenAttemptRow[],
  current: readonly CurrentTask[],
): Promise<ReportedAttempt[]> {
  const reported: ReportedAttempt[] = []
  for (const item of current) {
    const taskId = typeof item === 'number' ? item : item.task_id
    const named = typeof item === 'number' ? undefined : item.attempt
    const attempt =
      named ?? open.find((row) => row.task_id === taskId)?.number ?? (await newestAttemptOf(tx, taskId, agentId))
    if (attempt === undefined) continue
    reported.push({ taskId, attempt, cancelRung: typeof item === 'number' ? undefined : item.cancel_rung })
  }
  return reported
}
