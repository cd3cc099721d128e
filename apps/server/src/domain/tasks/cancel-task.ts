/** Asks for a task's end: at once where nothing runs, else as a desired state that is repeated until the agent reports. */
import { ApiError, isFinal, type Task } from '@iac-agent/protocol'
import type { Clock } from '@iac-agent/runtime'
import { type AttemptRow, endAttempt, findAttempt } from '../../store/attempt-rows.js'
import type { Store, Tx } from '../../store/store.js'
import { type TaskRow, updateTask } from '../../store/task-rows.js'
import type { AgentLink } from '../ports.js'
import { requireTask } from './confirm-task.js'
import { moveTask } from './move-task.js'
import { getTask } from './task-view.js'

export interface CancelDeps {
  readonly store: Store
  readonly clock: Clock
  readonly link: AgentLink
}

export interface CancelTask {
  readonly taskId: number
  readonly by: string
  /** goes beyond the first interrupt of an apply, and may lose resources in flight */
  readonly force?: boolean | undefined
}

/** The attempt whose agent is told. */
export interface Told {
  readonly attempt: AttemptRow
  readonly force: boolean
}

/**
 * Idempotent; `force` once given stays, and whoever gave it is who asked.
 * @throws ApiError `not_found`, `illegal_transition` for a task that ended otherwise
 */
export async function cancelTask(deps: CancelDeps, input: CancelTask): Promise<Task> {
  const told = await deps.store.transaction('cancel_task', (tx) => cancelInside(tx, input, deps.clock.now()))
  tellCancel(deps.link, input.taskId, told)
  return getTask(deps, input)
}

/** The change itself; answers whom to tell after COMMIT. */
export async function cancelInside(tx: Tx, input: CancelTask, now: number): Promise<Told | undefined> {
  const task = await requireTask(tx, input.taskId)
  if (task.status === 'cancelled') return undefined
  if (isFinal(task.status)) throw ended(task)
  const force = input.force === true || task.cancel_force === 1
  const isForcedNow = force && task.cancel_force === 0
  const request = {
    ...(task.cancel_requested_at === null || isForcedNow
      ? { cancel_requested_at: now, cancel_requested_by: input.by }
      : {}),
    cancel_force: force ? 1 : 0,
  }
  const attempt = task.attempt === 0 ? undefined : await findAttempt(tx, task.id, task.attempt)
  const isOpen = attempt !== undefined && attempt.state !== 'final'
  if (isOpen && attempt.state === 'live' && !endsAtOnce(task, attempt)) {
    await updateTask(tx, task.id, request)
    tx.changed({ kind: 'task', taskId: task.id })
    return { attempt, force }
  }
  if (isOpen) await endAttempt(tx, attempt, { outcome: attempt.state === 'offered' ? 'withdrawn' : 'cancelled' }, now)
  await moveTask(tx, task, attempt?.phase ?? 'plan', { kind: 'cancelled' }, now, request)
  return isOpen ? { attempt, force } : undefined
}

/** A plan nobody hears from can be given up: it changes nothing. An apply waits for its agent. */
function endsAtOnce(task: TaskRow, attempt: AttemptRow): boolean {
  return attempt.phase === 'plan' && task.unreachable_since !== null
}

/** The message only hastens: the heartbeat's answer and the reconciler say it again. */
export function tellCancel(link: AgentLink, taskId: number, told: Told | undefined): void {
  if (told !== undefined) {
    link.cancelTaskOnAgent(told.attempt.agent_id, taskId, { attempt: told.attempt.number, force: told.force })
  }
}

function ended(task: TaskRow): ApiError {
  return new ApiError('illegal_transition', `task ${task.id} has ended as ${task.status}`, { status: task.status })
}
