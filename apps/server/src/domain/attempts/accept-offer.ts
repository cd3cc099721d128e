/** An agent took its offer: the attempt is live, the task runs and holds its workspace. */
import type { Clock } from '@iac-agent/runtime'
import { type AttemptRow, acceptAttempt, findAttempt } from '../../store/attempt-rows.js'
import type { Tx } from '../../store/store.js'
import { findTask, type TaskRow } from '../../store/task-rows.js'
import { moveTask } from '../tasks/move-task.js'
import type { FencedAttempt } from './fenced-attempt.js'

/** Idempotent by attempt number; an offer taken back meanwhile is answered as stale. */
export async function acceptOffer(tx: Tx, task: TaskRow, attempt: AttemptRow, clock: Clock): Promise<FencedAttempt> {
  if ((await acceptAttempt(tx, task.id, attempt.number, clock.monotonic())) === 0) return { task, attempt, stale: true }
  await moveTask(tx, task, attempt.phase, { kind: 'accepted' }, clock.now(), { stage: 'fetching' })
  const [movedTask, live] = await Promise.all([findTask(tx, task.id), findAttempt(tx, task.id, attempt.number)])
  if (movedTask === undefined || live === undefined) throw new Error(`task ${task.id} vanished in its own transaction`)
  return { task: movedTask, attempt: live, stale: false }
}
