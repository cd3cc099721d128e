/** The last gate before `terraform apply`: the attempt is current, confirmed, not cancelled, its plan not stale, and never started. */
import { ApiError } from '@iac-agent/protocol'
import type { Clock } from '@iac-agent/runtime'
import { endAttempt, noteAttempt } from '../../store/attempt-rows.js'
import type { Store, Tx } from '../../store/store.js'
import { findTask, markUnreachable } from '../../store/task-rows.js'
import { moveTask } from '../tasks/move-task.js'
import { planStaleness } from '../tasks/plan-base.js'
import type { AgentCaller } from './agent-caller.js'
import type { FencedAttempt } from './fenced-attempt.js'
import { requireAttemptRead, touchAttempt } from './require-attempt.js'

/**
 * Idempotent by `startId`. A refusal that changes the task is committed before it is thrown.
 * @throws ApiError `stale_lease`, `illegal_transition`, `plan_stale` (the task fails), `already_started` (it becomes unreachable)
 */
export async function startApply(
  deps: { store: Store; clock: Clock },
  input: { caller: AgentCaller; taskId: number; startId: string },
): Promise<void> {
  const refusal = await deps.store.transaction('start_apply', async (tx) => {
    const fenced = await requireAttemptRead(tx, input.caller, input.taskId)
    return pass(tx, fenced, input.startId, deps.clock)
  })
  if (refusal !== undefined) throw refusal
}

async function pass(tx: Tx, fenced: FencedAttempt, startId: string, clock: Clock): Promise<ApiError | undefined> {
  const now = clock.now()
  if (fenced.stale) return staleLease(fenced.task.id)
  const known = fenced.attempt.start_id
  if (known !== null && known !== startId) return refuseSecondStart(tx, fenced, now)
  const { task, attempt, stale } = await touchAttempt(tx, fenced, clock)
  if (stale) return staleLease(task.id)
  if (attempt.phase !== 'apply' || task.confirmed_at === null)
    return notPossible(`task ${task.id} has no confirmed plan to apply`)
  if (task.cancel_requested_at !== null) return notPossible(`task ${task.id} is cancelled: finish it as cancelled`)
  if (known === startId) return undefined
  const whole = await findTask(tx, task.id)
  if (whole === undefined) throw new Error(`task ${task.id} vanished in its own transaction`)
  const staleness = await planStaleness(tx, whole)
  if (staleness !== undefined) {
    await endAttempt(tx, attempt, { outcome: 'failed', finalStatus: 'failed' }, now)
    await moveTask(tx, task, 'apply', { kind: 'failed' }, now, {
      error_code: 'plan_stale',
      error_message: staleness.message,
    })
    return staleness
  }
  await noteAttempt(tx, attempt, { start_id: startId, start_at: now })
  return undefined
}

/** Somebody started this attempt before: what became of it is not known, so nothing may be started again. */
async function refuseSecondStart(tx: Tx, { task }: FencedAttempt, now: number): Promise<ApiError> {
  if ((await markUnreachable(tx, task.id, now)) > 0) tx.changed({ kind: 'task', taskId: task.id })
  return new ApiError('already_started', `the apply of task ${task.id} was started before: spawn nothing`)
}

function staleLease(taskId: number): ApiError {
  return new ApiError('stale_lease', `this attempt of task ${taskId} no longer counts`)
}

function notPossible(message: string): ApiError {
  return new ApiError('illegal_transition', message)
}
