/** An agent's status PUT: the fact that a phase began a stage or ended. */
import {
  ApiError,
  eventOfReport,
  isFinal,
  maxPlanAttempts,
  mayApply,
  type Stage,
  type StatusUpdate,
  type TaskEvent,
  type TaskStatus,
} from '@iac-agent/protocol'
import type { Clock } from '@iac-agent/runtime'
import { endAttempt, findAttempt } from '../../store/attempt-rows.js'
import type { FencedAttemptRow, FencedTask } from '../../store/fence-rows.js'
import type { Store, Tx } from '../../store/store.js'
import { findTask, noteProgress } from '../../store/task-rows.js'
import type { AgentCaller } from '../attempts/agent-caller.js'
import type { FencedAttempt } from '../attempts/fenced-attempt.js'
import { requireAttemptRead, touchAttempt } from '../attempts/require-attempt.js'
import { autoApply } from './auto-apply.js'
import { moveTask, type TaskPatch } from './move-task.js'

export interface StatusAnswer {
  readonly status: TaskStatus
  readonly stage: Stage
}

/**
 * Idempotent: what an attempt ended with may be said again. Answers status and stage as stored.
 * @throws ApiError `stale_lease`, `illegal_transition`, and the fence's
 */
export function reportStatus(
  deps: { store: Store; clock: Clock },
  input: { caller: AgentCaller; taskId: number; report: StatusUpdate },
): Promise<StatusAnswer> {
  return deps.store.transaction('report_status', async (tx) => {
    const found = await requireAttemptRead(tx, input.caller, input.taskId)
    if (await isRepeat(tx, found, input)) return { status: found.task.status, stage: found.task.stage }
    if (found.stale) throw tooLate(found)
    const fenced = await touchAttempt(tx, found, deps.clock)
    if (fenced.stale) throw tooLate(fenced)
    return apply(tx, fenced, input.report, deps.clock)
  })
}

/**
 * An attempt's last word, said again. Without a lease the words of a plan can arrive after its apply was offered: the first
 * request of an offered attempt never ends it, so such a report is the previous attempt's, repeated.
 */
async function isRepeat(
  tx: Tx,
  { task, attempt }: FencedAttempt,
  { caller, report }: { caller: AgentCaller; report: StatusUpdate },
): Promise<boolean> {
  if (attempt.final_status === report.status) return true
  if (caller.lease !== undefined || attempt.state !== 'offered' || report.status === 'running') return false
  const previous = await findAttempt(tx, task.id, attempt.number - 1)
  return previous?.agent_id === attempt.agent_id && previous.final_status === report.status
}

function tooLate({ task, attempt }: FencedAttempt): ApiError {
  const isItsOwnEnd = attempt.number === task.attempt && attempt.final_status !== null
  return isItsOwnEnd
    ? new ApiError(
        'illegal_transition',
        `task ${task.id} is ${task.status}: its attempt ended as ${attempt.final_status}`,
      )
    : new ApiError('stale_lease', `this attempt of task ${task.id} no longer counts`)
}

async function apply(
  tx: Tx,
  { task, attempt }: FencedAttempt,
  report: StatusUpdate,
  clock: Clock,
): Promise<StatusAnswer> {
  const event = eventOfReport({ taskType: task.task_type, status: task.status, phase: attempt.phase }, report)
  if (event === undefined) {
    const message = `an attempt that runs ${attempt.phase} of a ${task.task_type} cannot report ${report.status}`
    throw new ApiError('illegal_transition', message, { status: task.status })
  }
  if (event === null) return progress(tx, task, report)
  await endPhase(tx, task, attempt, report, event, clock)
  const ended = await findTask(tx, task.id)
  if (ended === undefined) throw vanished(task.id)
  return { status: ended.status, stage: ended.stage }
}

async function progress(tx: Tx, task: FencedTask, report: StatusUpdate): Promise<StatusAnswer> {
  const { stage, changes_add, changes_change, changes_destroy } = report
  const said = { stage, changes_add, changes_change, changes_destroy }
  if (Object.values(said).some((value) => value !== undefined)) {
    if ((await noteProgress(tx, task.id, said)) === 0) throw vanished(task.id)
    tx.changed({ kind: 'task', taskId: task.id })
  }
  return { status: task.status, stage: stage ?? task.stage }
}

function vanished(taskId: number): Error {
  return new Error(`task ${taskId} vanished in its own transaction`)
}

async function endPhase(
  tx: Tx,
  task: FencedTask,
  attempt: FencedAttemptRow,
  report: StatusUpdate,
  event: TaskEvent,
  clock: Clock,
): Promise<void> {
  const now = clock.now()
  await endAttempt(tx, attempt, { outcome: 'finished', finalStatus: report.status, usage: report.usage }, now)
  const patch: TaskPatch = {
    ...countsOf(report),
    duration: (task.duration ?? 0) + secondsOf(attempt, report, clock.monotonic()),
    ...(report.error_code === undefined ? {} : { error_code: report.error_code }),
    ...(report.error_message === undefined ? {} : { error_message: report.error_message }),
    ...(event.kind === 'plan_succeeded'
      ? { plan_attempt: attempt.number, base_state_version: attempt.base_state_version ?? 0 }
      : {}),
  }
  const wished = asWished(task, attempt, report, event)
  const isMadeAgain = wished.kind === 'requeued'
  const status = await moveTask(
    tx,
    task,
    attempt.phase,
    wished,
    now,
    isMadeAgain ? { requeues: task.requeues + 1 } : patch,
  )
  if (status === 'apply_pending') await autoApply(tx, task.id, now)
  if (isFinal(status)) tx.changed({ kind: 'agent', agentId: attempt.agent_id })
}

/** What is wrong with the attempt alone: another one took its work directory while its agent was dead, or a server of before a restore gave it up. */
const attemptsOwn: readonly (string | undefined)[] = ['work_directory_busy', 'lost']

/**
 * A plan that was cancelled and got done all the same is not offered for confirmation; what was applied stays applied. A plan that failed
 * by its attempt alone is made again.
 */
function asWished(task: FencedTask, attempt: FencedAttemptRow, report: StatusUpdate, event: TaskEvent): TaskEvent {
  const isCancelled = task.cancel_requested_at !== null
  const leadsToApply = event.kind === 'plan_succeeded' && event.hasChanges && mayApply(task.task_type)
  const isAttemptsOwn = attempt.phase === 'plan' && event.kind === 'failed' && attemptsOwn.includes(report.error_code)
  if (isCancelled) return leadsToApply || isAttemptsOwn ? { kind: 'cancelled' } : event
  return isAttemptsOwn && task.requeues + 1 < maxPlanAttempts ? { kind: 'requeued' } : event
}

/** Counts of an apply replace those of its plan only when they are given. */
function countsOf(report: StatusUpdate): TaskPatch {
  const { changes_add, changes_change, changes_destroy } = report
  return {
    ...(changes_add === undefined ? {} : { changes_add }),
    ...(changes_change === undefined ? {} : { changes_change }),
    ...(changes_destroy === undefined ? {} : { changes_destroy }),
  }
}

function secondsOf(attempt: FencedAttemptRow, report: StatusUpdate, now: number): number {
  const measured = (now - (attempt.accepted_at ?? now)) / 1000
  return Math.round(report.duration ?? measured)
}
