/** A task as the operator API answers it. */
import {
  ApiError,
  type PendingReason,
  type Phase,
  type Task,
  type TaskCancel,
  type UnrecordedCounts,
} from '@iac-agent/protocol'
import type { Clock } from '@iac-agent/runtime'
import { outputText, readOutputTail } from '../../store/log-rows.js'
import type { Reader, Store } from '../../store/store.js'
import { findTask, type TaskRow } from '../../store/task-rows.js'
import { countUnrecorded } from '../../store/unrecorded-rows.js'
import { findUsages, type PhaseUsage } from '../../store/usage-rows.js'
import { rfc3339, rfc3339OrNull } from '../rfc3339.js'
import { cancelOf } from './cancel-view.js'
import { pendingReasons } from './pending-reasons.js'

/** @throws ApiError `not_found` */
export function getTask(deps: { store: Store; clock: Clock }, { taskId }: { taskId: number }): Promise<Task> {
  return deps.store.read((reader) => readTask(reader, taskId, deps.clock.now()))
}

async function readTask(reader: Reader, taskId: number, now: number): Promise<Task> {
  const task = await findTask(reader, taskId)
  if (task === undefined) throw new ApiError('not_found', `task ${taskId} does not exist`)
  const [view] = await taskViews(reader, [task], now)
  return { ...(view as Task), ...(await outputsOf(reader, taskId)) }
}

/** Everything but the outputs, in the order of `tasks`. */
export async function taskViews(reader: Reader, tasks: readonly TaskRow[], now: number): Promise<Task[]> {
  const ids = tasks.map(({ id }) => id)
  const [reasons, unrecorded] = [await pendingReasons(reader, tasks, now), await countUnrecorded(reader, ids)]
  const usages = await findUsages(reader, ids)
  const views: Task[] = []
  for (const task of tasks) {
    const cancel = await cancelOf(reader, task)
    const [reason, usage] = [reasons.get(task.id), usages.get(task.id) ?? {}]
    views.push(viewOf(task, { reason, cancel, unrecorded: unrecorded.get(task.id), usage }))
  }
  return views
}

/** What is not on the task's own row. */
interface Besides {
  readonly reason: PendingReason | undefined
  readonly cancel: TaskCancel | null
  readonly unrecorded: UnrecordedCounts | undefined
  readonly usage: PhaseUsage
}

function viewOf(task: TaskRow, { reason, cancel, unrecorded, usage }: Besides): Task {
  return {
    id: task.id,
    workspace_id: task.workspace_id,
    task_type: task.task_type,
    status: task.status,
    stage: task.stage,
    attempt: task.attempt === 0 ? null : task.attempt,
    agent_id: task.agent_id,
    description: task.description,
    pending_reason: reason ?? null,
    confirmed_by: task.confirmed_by,
    confirmed_at: rfc3339OrNull(task.confirmed_at),
    cancel,
    unreachable_since: rfc3339OrNull(task.unreachable_since),
    changes_add: task.changes_add,
    changes_change: task.changes_change,
    changes_destroy: task.changes_destroy,
    plan_output: null,
    apply_output: null,
    error_code: task.error_code,
    error_message: task.error_message,
    unrecorded_resources: unrecorded ?? null,
    created_at: rfc3339(task.created_at),
    started_at: rfc3339OrNull(task.started_at),
    completed_at: rfc3339OrNull(task.completed_at),
    duration: task.duration,
    plan_usage: usage.plan ?? null,
    apply_usage: usage.apply ?? null,
  }
}

async function outputsOf(reader: Reader, taskId: number): Promise<Partial<Task>> {
  const plan = await outputOf(reader, taskId, 'plan')
  const apply = await outputOf(reader, taskId, 'apply')
  return {
    plan_output: plan?.text ?? null,
    ...(plan?.truncated ? { plan_output_truncated: true } : {}),
    apply_output: apply?.text ?? null,
    ...(apply?.truncated ? { apply_output_truncated: true } : {}),
  }
}

async function outputOf(reader: Reader, taskId: number, phase: Phase) {
  const tail = await readOutputTail(reader.hot, taskId, phase)
  return tail && outputText(tail)
}
