import { expect, it } from 'vitest'
import { factsOf } from '../../tests/_util/facts.js'
import type { NewFact, Used } from '../journal/attempt-record.js'
import { usedBy } from './used.js'

const ended = (run: string, used?: Used, code = 0): NewFact => ({
  fact: 'exited',
  run,
  code,
  ...(used ? { used } : {}),
})
const used = (...facts: NewFact[]) => usedBy(factsOf('plan', ...facts))

it('adds up the CPU time of all commands and takes the highest peak', () => {
  const plan = ended('plan-1', { peakRssBytes: 300, cpuMs: 40 }, 1)
  expect(used(ended('init-1', { peakRssBytes: 500, cpuMs: 2 }), plan)).toEqual({ peakRssBytes: 500, cpuMs: 42 })
})

it('knows no CPU time when that of one command is not known, and counts none that was never started', () => {
  expect(used(ended('init-1', { cpuMs: 2 }), ended('plan-1', { peakRssBytes: 3 }, -1))).toEqual({ peakRssBytes: 3 })
  expect(used(ended('init-1', { cpuMs: 2 }), ended('plan-1', undefined, 125))).toEqual({ cpuMs: 2 })
  expect(used()).toEqual({})
})
