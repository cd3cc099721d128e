import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { backoffMs } from './backoff.js'

describe('backoff', () => {
  it('doubles its ceiling from the first to the last, and never leaves it', () => {
    const bounds = { firstMs: 500, maxMs: 3000 }
    expect([0, 1, 2, 3, 9].map((attempt) => backoffMs(attempt, bounds, () => 0.999_999))).toEqual([
      500, 1000, 2000, 3000, 3000,
    ])
    fc.assert(
      fc.property(fc.nat(), fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }), (attempt, random) => {
        const ms = backoffMs(attempt, bounds, () => random)
        return ms >= 0 && ms <= bounds.maxMs
      }),
    )
  })
})
