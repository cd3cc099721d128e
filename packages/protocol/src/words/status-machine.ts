/** The status machine of protocol.md as a pure function: what happened, and what the status is then. */
import { assertNever } from '../assert-never.js'
import { mayApply, type Phase, type TaskStatus, type TaskType } from './task-words.js'

export type TaskEvent =
  /** an agent took the attempt; for an apply only after a recorded confirmation */
  | { kind: 'accepted' }
  | { kind: 'plan_succeeded'; hasChanges: boolean }
  | { kind: 'apply_succeeded' }
  | { kind: 'failed' }
  /** cancelled, or an apply_pending discarded */
  | { kind: 'cancelled' }
  /** the lease of a plan ended: back to the queue */
  | { kind: 'requeued' }

export interface TaskPosition {
  readonly taskType: TaskType
  readonly status: TaskStatus
  /** of the attempt that runs; without meaning while nothing runs */
  readonly phase: Phase
}

/** The status after `event`, or undefined when the event is illegal here (409 `illegal_transition`). */
export function nextStatus(task: TaskPosition, event: TaskEvent): TaskStatus | undefined {
  switch (task.status) {
    case 'pending':
      return fromPending(event)
    case 'running':
      return fromRunning(task, event)
    case 'apply_pending':
      return fromApplyPending(event)
    case 'success':
    case 'planned_and_finished':
    case 'applied':
    case 'failed':
    case 'cancelled':
      return undefined
    default:
      return assertNever(task.status)
  }
}

function fromPending(event: TaskEvent): TaskStatus | undefined {
  if (event.kind === 'accepted') return 'running'
  return event.kind === 'cancelled' || event.kind === 'failed' ? event.kind : undefined
}

function fromApplyPending(event: TaskEvent): TaskStatus | undefined {
  if (event.kind === 'accepted') return 'running'
  return event.kind === 'cancelled' || event.kind === 'failed' ? event.kind : undefined
}

function fromRunning(task: TaskPosition, event: TaskEvent): TaskStatus | undefined {
  switch (event.kind) {
    case 'accepted':
      return undefined
    case 'plan_succeeded':
      if (task.phase !== 'plan') return undefined
      if (!mayApply(task.taskType)) return 'success'
      return event.hasChanges ? 'apply_pending' : 'planned_and_finished'
    case 'apply_succeeded':
      return task.phase === 'apply' ? 'applied' : undefined
    case 'failed':
    case 'cancelled':
      return event.kind
    case 'requeued':
      return task.phase === 'plan' ? 'pending' : undefined
    default:
      return assertNever(event)
  }
}

export interface StatusReport {
  readonly status: TaskStatus
  readonly changes_add?: number | undefined
  readonly changes_change?: number | undefined
  readonly changes_destroy?: number | undefined
}

/**
 * What an agent's status PUT says happened. `success` is read by task type and phase. `running` is no event, it only sets the
 * stage (`null`); undefined when the words do not fit the phase.
 */
export function eventOfReport(task: TaskPosition, report: StatusReport): TaskEvent | null | undefined {
  switch (report.status) {
    case 'running':
      return null
    case 'success':
      if (task.phase === 'apply') return { kind: 'apply_succeeded' }
      return { kind: 'plan_succeeded', hasChanges: !reportsNoChanges(report) }
    case 'planned_and_finished':
    case 'apply_pending':
      if (task.phase !== 'plan' || !mayApply(task.taskType)) return undefined
      return { kind: 'plan_succeeded', hasChanges: report.status === 'apply_pending' }
    case 'applied':
      return task.phase === 'apply' ? { kind: 'apply_succeeded' } : undefined
    case 'failed':
    case 'cancelled':
      return { kind: report.status }
    case 'pending':
      return undefined
    default:
      return assertNever(report.status)
  }
}

function reportsNoChanges(report: StatusReport): boolean {
  return report.changes_add === 0 && report.changes_change === 0 && report.changes_destroy === 0
}
