import { expect, it } from 'vitest'
import { excessOf, type RunLimits, type RunReading } from './run-limits.js'

const MiB = 1024 * 1024
const limits: RunLimits = { memoryBytes: 100 * MiB, silenceMs: 60_000, runMs: 3_600_000 }
const calm: RunReading = { rssBytes: 100 * MiB, ageMs: 3_600_000, silentMs: 60_000 }

it('leaves a run alone that is at its limits, or has none', () => {
  expect(excessOf(limits, calm, 'apply')).toBeUndefined()
  expect(excessOf({}, { rssBytes: 1e15, ageMs: 1e12, silentMs: 1e12 }, 'apply')).toBeUndefined()
})

it.each([
  [
    { rssBytes: 612.4 * MiB },
    'memory_limit',
    'terraform apply held 612 MiB of memory, more than the 100 MiB of --task-memory-limit',
  ],
  [{ ageMs: 3_601_230 }, 'run_timeout', 'terraform apply ran for 3601.2 s, longer than the 3600 s of --run-timeout'],
  [
    { silentMs: 60_090 },
    'silence_timeout',
    'terraform apply printed nothing for 60.1 s, longer than the 60 s of --silence',
  ],
])('tells of %o with the numbers and the setting', (over, code, sentence) => {
  const excess = excessOf(limits, { ...calm, ...over }, 'apply')
  expect(excess?.code).toBe(code)
  expect(excess?.message).toContain(sentence)
})

it('lets show be silent, which prints nothing', () => {
  expect(excessOf(limits, { ...calm, silentMs: 1e9 }, 'show')).toBeUndefined()
})
