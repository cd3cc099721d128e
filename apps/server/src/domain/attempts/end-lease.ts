/** What the end of a lease means: a plan is tried again, an apply (and anything of a seed-only agent) waits for its agent or a person. */
import { maxPlanAttempts } from '@iac-agent/protocol'
import type { Clock } from '@iac-agent/runtime'
import { endAttempt, findAttempt } from '../../store/attempt-rows.js'
import type { Store, Tx } from '../../store/store.js'
import { findTask, markUnreachable, type TaskRow } from '../../store/task-rows.js'
import { moveTask } from '../tasks/move-task.js'

export type LeaseEnd = 'requeued' | 'failed' | 'cancelled' | 'unreachable'

/** Answers what was done; undefined when the lease was renewed or the attempt ended meanwhile. */
export function endLease(
  deps: { store: Store; clock: Clock },
  lease: { task_id: number; number: number },
): Promise<LeaseEnd | undefined> {
  return deps.store.transaction('end_lease', async (tx) => {
    const now = deps.clock.now()
    const task = await findTask(tx, lease.task_id)
    const attempt = await findAttempt(tx, lease.task_id, lease.number)
    if (task === undefined || attempt?.state !== 'live' || attempt.lease_expires_at >= deps.clock.monotonic())
      return undefined
    if (attempt.phase === 'apply' || attempt.seed_only === 1) return makeUnreachable(tx, task, now)
    await endAttempt(tx, attempt, { outcome: 'expired' }, now)
    return settlePlan(tx, task, now)
  })
}

async function makeUnreachable(tx: Tx, task: TaskRow, now: number): Promise<LeaseEnd | undefined> {
  if ((await markUnreachable(tx, task.id, now)) === 0) return undefined
  tx.changed({ kind: 'task', taskId: task.id })
  return 'unreachable'
}

async function settlePlan(tx: Tx, task: TaskRow, now: number): Promise<LeaseEnd> {
  if (task.cancel_requested_at !== null) {
    await moveTask(tx, task, 'plan', { kind: 'cancelled' }, now)
    return 'cancelled'
  }
  if (task.requeues + 1 < maxPlanAttempts) {
    await moveTask(tx, task, 'plan', { kind: 'requeued' }, now, { requeues: task.requeues + 1 })
    return 'requeued'
  }
  const error_message = `the agents of ${maxPlanAttempts} attempts stopped answering while planning`
  await moveTask(tx, task, 'plan', { kind: 'failed' }, now, { error_code: 'lease_expired', error_message })
  return 'failed'
}
