import { expect, it } from 'vitest'
import { factsOf, granted, ran, restored } from '../../tests/_util/facts.js'
import { judge } from './recovery.js'

it('discards an attempt whose offer was never durable', () => {
  expect(judge([], false)).toBe('discard')
})

it('resumes what has nothing running, finished or not', () => {
  expect(judge(factsOf('plan'), false)).toBe('resume')
  expect(judge(factsOf('apply', ...restored, ...granted, ...ran('apply-1')), false)).toBe('resume')
})

it('adopts what still runs instead of starting it again', () => {
  const facts = factsOf('apply', ...restored, ...granted, { fact: 'spawning', run: 'apply-1', outputOffset: 0 })
  expect(judge(facts, true)).toBe('adopt')
})

it('leaves alone what still runs but belongs to the directory it is a copy of', () => {
  const facts = factsOf('apply', ...restored, ...granted, { fact: 'spawning', run: 'apply-1', outputOffset: 0 })
  expect(judge(facts, true, true)).toBe('leave')
  expect(judge(facts, false, true)).toBe('resume')
})
