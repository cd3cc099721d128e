/** An attempt that passed the fence. */
import type { AttemptRow } from '../../store/attempt-rows.js'
import type { TaskRow } from '../../store/task-rows.js'

export interface FencedAttempt {
  readonly task: TaskRow
  readonly attempt: AttemptRow
  /** no longer the task's current attempt, or ended: what it sends is late data, and moves nothing */
  readonly stale: boolean
}
