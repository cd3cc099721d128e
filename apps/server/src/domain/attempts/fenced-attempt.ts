/** A task with one of its attempts, and what the fence found of it. */
import type { FencedAttemptRow, FencedTask } from '../../store/fence-rows.js'

export interface OpenAttempt {
  readonly task: FencedTask
  readonly attempt: FencedAttemptRow
}

export interface FencedAttempt extends OpenAttempt {
  /** no longer the task's current attempt, or ended: what it sends is late data, and moves nothing */
  readonly stale: boolean
}
