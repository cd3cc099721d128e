/** Makes an attempt of a waiting task and offers it to an agent; the row is committed before anything is sent. */
import { mayApply } from '@iac-agent/protocol'
import type { Clock } from '@iac-agent/runtime'
import { findAgent } from '../../store/agent-rows.js'
import { findAttempt, insertAttempt } from '../../store/attempt-rows.js'
import { findHold } from '../../store/hold-rows.js'
import { keepLeaseKey } from '../../store/lease-key.js'
import type { Store, Tx } from '../../store/store.js'
import { nextAttemptNumber } from '../../store/store-epoch.js'
import { findTask, type TaskRow, updateTask } from '../../store/task-rows.js'
import { isSeedOnly } from '../agents/agent-status.js'
import type { Placement } from '../placement.js'
import type { OfferedLease } from '../ports.js'
import { leaseSalt, leaseToken } from './lease-token.js'

export interface Offer extends Placement {
  readonly workspaceId: string
  readonly lease: OfferedLease
}

/** Answers undefined when the task no longer waits as it did when it was placed. Fenced by the attempt's number. */
export function offerAttempt(
  deps: { store: Store; clock: Clock; leaseTtlMs: number },
  placement: Placement,
): Promise<Offer | undefined> {
  return deps.store.transaction('offer_attempt', async (tx) => {
    const task = await findTask(tx, placement.taskId)
    const agent = await findAgent(tx, placement.agentId)
    if (task === undefined || agent === undefined || !(await stillWaits(tx, task, placement))) return undefined
    const number = await nextAttemptNumber(tx, task.attempt)
    const origin = { number, phase: placement.phase, agentId: agent.id }
    const lease_salt = leaseSalt(keepLeaseKey(tx), {
      ...origin,
      taskId: task.id,
      taskCreatedAt: task.created_at,
      workspaceId: task.workspace_id,
    })
    const attempt = { task_id: task.id, number, phase: placement.phase, agent_id: agent.id, lease_salt }
    await insertAttempt(tx, {
      ...attempt,
      seed_only: isSeedOnly(agent) ? 1 : 0,
      offered_at: deps.clock.monotonic(),
      lease_ttl_ms: deps.leaseTtlMs,
      work_root: agent.work_root,
    })
    await updateTask(tx, task.id, { attempt: number, agent_id: agent.id })
    tx.changed({ kind: 'task', taskId: task.id })
    const lease = { attempt: number, leaseToken: leaseToken(attempt), leaseTtlMs: deps.leaseTtlMs }
    return { ...placement, workspaceId: task.workspace_id, lease }
  })
}

async function stillWaits(tx: Tx, task: TaskRow, { phase }: Placement): Promise<boolean> {
  const isWaiting =
    phase === 'plan' ? task.status === 'pending' : task.status === 'apply_pending' && task.confirmed_at !== null
  if (!isWaiting || task.cancel_requested_at !== null) return false
  const last = task.attempt === 0 ? undefined : await findAttempt(tx, task.id, task.attempt)
  if (last !== undefined && last.state !== 'final') return false
  const workspace = await findHold(tx, task.workspace_id)
  if (workspace === undefined || workspace.lock_owner !== null) return false
  return !mayApply(task.task_type) || workspace.locked_by_task === null || workspace.locked_by_task === task.id
}
