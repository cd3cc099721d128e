import { describe, expect, it } from 'vitest'
import { judgeLateness, SweepAlarm, SweepBudget } from './lease-sweep.js'

describe('a late pass', () => {
  it('extends every lease by the lateness and waits one heartbeat', () => {
    expect(judgeLateness(1_000, 6_000, 10_000)).toEqual({ extendByMs: 5_000, holdUntil: 16_000 })
  })

  it('is on time up to two seconds', () => {
    expect(judgeLateness(1_000, 3_000, 10_000)).toBeUndefined()
    expect(judgeLateness(1_000, 3_001, 10_000)).toBeDefined()
  })

  it('is never the first one', () => {
    expect(judgeLateness(Number.POSITIVE_INFINITY, 3_000, 10_000)).toBeUndefined()
  })
})

describe('the sweep budget', () => {
  it('ends three of few leases a minute, and no more before the minute is over', () => {
    const budget = new SweepBudget()
    expect(budget.available(10, 0)).toBe(3)
    budget.spend(3, 0)
    expect(budget.available(10, 59_999)).toBe(0)
    expect(budget.available(10, 60_001)).toBe(3)
  })

  it('ends five percent of many', () => {
    expect(new SweepBudget().available(1_000, 0)).toBe(50)
  })
})

describe('the alarm of the sweep', () => {
  it('is raised at once, again each minute, and cleared once', () => {
    const alarm = new SweepAlarm()
    const said = [
      [0, 0],
      [2, 1_000],
      [2, 2_000],
      [1, 60_999],
      [1, 61_000],
      [0, 62_000],
      [0, 63_000],
      [1, 64_000],
    ].map(([waiting = 0, now = 0]) => alarm.judge(waiting, now))
    expect(said).toEqual([undefined, 'raise', undefined, undefined, 'raise', 'clear', undefined, 'raise'])
  })
})
