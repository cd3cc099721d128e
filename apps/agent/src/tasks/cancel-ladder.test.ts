import { expect, it } from 'vitest'
import { type LadderState, ladderMove } from './cancel-ladder.js'

const graceMs = 10_000
const move = (phase: 'plan' | 'apply', isForced: boolean, ...climbed: LadderState['climbed']) =>
  ladderMove({ phase, isForced, climbed, graceMs })

it('begins with one interrupt, forced or not', () => {
  for (const phase of ['plan', 'apply'] as const) {
    for (const isForced of [true, false]) expect(move(phase, isForced)).toEqual({ rung: 'interrupt' })
  }
})

it('kills a plan that has not ended within the grace', () => {
  expect(move('plan', false, { rung: 'interrupt', agoMs: 9_000 })).toEqual({ waitMs: 1_000 })
  expect(move('plan', false, { rung: 'interrupt', agoMs: 10_000 })).toEqual({ rung: 'kill' })
})

it('waits for an interrupted apply for as long as it takes', () => {
  expect(move('apply', false, { rung: 'interrupt', agoMs: 3_600_000 })).toBe('wait')
})

it('goes on with an apply only by force: a second interrupt, and after the grace the kill', () => {
  expect(move('apply', true, { rung: 'interrupt', agoMs: 0 })).toEqual({ rung: 'interrupt_again' })
  const twice = (agoMs: number) => move('apply', true, { rung: 'interrupt', agoMs }, { rung: 'interrupt_again', agoMs })
  expect(twice(4_000)).toEqual({ waitMs: 6_000 })
  expect(twice(10_000)).toEqual({ rung: 'kill' })
})

it('ends with the kill', () => {
  expect(move('plan', true, { rung: 'interrupt', agoMs: 1 }, { rung: 'kill', agoMs: 1 })).toBe('wait')
})
