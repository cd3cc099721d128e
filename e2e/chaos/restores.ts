/** What a fleet's restores mean for what the operator knows: what was in the backup, what is gone, what goes on as it was then. */
import type { TaskHistory } from './history.js'

/** Epoch ms. What was acknowledged before `startedAt` is in the backup; what was asked after `endedAt` is not. */
export interface Restore {
  readonly startedAt: number
  readonly endedAt: number
  /** The old life of the server was over; from here on it is the new one. */
  readonly downAt: number
}

/** Whether the server may have no such task any more: it was made after a backup that was restored. */
export function mayBeGone({ created }: TaskHistory, restores: readonly Restore[]): boolean {
  if (created === undefined) return false
  const madeAt = created.acknowledgedAt ?? Number.POSITIVE_INFINITY
  return restores.some(({ startedAt, downAt }) => madeAt >= startedAt && created.sentAt <= downAt)
}

/** Whether the task existed before a restore and had not ended before its backup: it went on from an earlier moment. */
export function wentBack({ created }: TaskHistory, finalAt: number | undefined, restores: readonly Restore[]): boolean {
  if (created === undefined) return false
  const endedAt = finalAt ?? Number.POSITIVE_INFINITY
  return restores.some(({ startedAt, downAt }) => created.sentAt <= downAt && endedAt >= startedAt)
}

/** Whether what was acknowledged at `at` is not in a backup that was restored later. */
export function isForgotten(at: number, restores: readonly Restore[]): boolean {
  return restores.some(({ startedAt, downAt }) => at >= startedAt && at <= downAt)
}
