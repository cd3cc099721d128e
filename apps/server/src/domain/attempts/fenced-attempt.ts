/** An attempt that passed the fence. */
import type { FencedAttemptRow, FencedTask } from '../../store/fence-rows.js'

export interface FencedAttempt {
  readonly task: FencedTask
  readonly attempt: FencedAttemptRow
  /** no longer the task's current attempt, or ended: what it sends is late data, and moves nothing */
  readonly stale: boolean
}
