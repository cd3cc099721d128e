/** An agent took its offer: the attempt is live, the task runs and holds its workspace. */
import type { Clock } from '@iac-agent/runtime'
import { acceptAttempt } from '../../store/attempt-rows.js'
import { findTaskWithAttempt } from '../../store/fence-rows.js'
import type { Tx } from '../../store/store.js'
import { moveTask } from '../tasks/move-task.js'
import type { FencedAttempt, OpenAttempt } from './fenced-attempt.js'

/** Idempotent by attempt number; an offer taken back meanwhile is answered as stale. */
export async function acceptOffer(tx: Tx, { task, attempt }: OpenAttempt, clock: Clock): Promise<FencedAttempt> {
  if ((await acceptAttempt(tx, task.id, attempt.number, clock.monotonic())) === 0) return { task, attempt, stale: true }
  await moveTask(tx, task, attempt.phase, { kind: 'accepted' }, clock.now(), { stage: 'fetching' })
  const moved = findTaskWithAttempt(tx, task.id, attempt.number)
  if (moved?.attempt === undefined) throw new Error(`task ${task.id} vanished in its own transaction`)
  return { task: moved.task, attempt: moved.attempt, stale: false }
}
