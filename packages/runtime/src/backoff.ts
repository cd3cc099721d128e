/** How long to wait before trying again. */

export interface BackoffBounds {
  firstMs: number
  maxMs: number
}

/**
 * Full jitter: anything from 0 to `firstMs` doubled per attempt, at most `maxMs`.
 * @param attempt 0 before the first retry
 * @param random answers [0, 1)
 */
export function backoffMs(attempt: number, bounds: BackoffBounds, random: () => number = Math.random): number {
  const ceiling = Math.min(bounds.maxMs, bounds.firstMs * 2 ** Math.min(attempt, 30))
  return Math.round(random() * ceiling)
}
