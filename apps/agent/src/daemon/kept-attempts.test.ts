import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { temporaryDirectory } from '@iac-agent/testkit'
import { expect, it } from 'vitest'
import type { Fact } from '../journal/attempt-record.js'
import { attemptLayoutAt } from '../journal/layout.js'
import { excessOf } from './janitor.js'
import { KeptAttempts } from './kept-attempts.js'

const hourMs = 3_600_000
const start = Date.parse('2026-11-28T12:00:00Z')

/** All that is needed to be over, acknowledged, at that time of the host's clock. */
function over(at: number): Fact[] {
  const stamp = new Date(at).toISOString()
  const delivered = (item: 'log' | 'status'): Fact => ({ fact: 'delivered', item, late: false, at: stamp })
  return [{ fact: 'logWhole', sizeBytes: 0, at: stamp }, delivered('log'), delivered('status')]
}

it('a clock that was wrong when an attempt ended does not let it go early, and not stay for ever', async () => {
  await using home = await temporaryDirectory('kept')
  const layout = attemptLayoutAt(join(home.path, '1-1'))
  await mkdir(layout.root)
  await writeFile(layout.spool, 'text')
  const facts = over(start - 25 * hourMs)
  let now = start
  const removedAfter = (kept: KeptAttempts, ms: number) => {
    now = start + ms
    const life = { now, lifeMs: kept.lifeMs.bind(kept), bytes: 1_000_000 }
    return excessOf(kept.list(), life).map(({ attempt }) => attempt.name)
  }
  const here = new KeptAttempts(24 * hourMs, () => now)
  await here.add(layout, facts)
  expect(removedAfter(here, 23 * hourMs)).toEqual([])
  expect(removedAfter(here, 25 * hourMs)).toEqual(['1-1'])

  now = start
  const next = new KeptAttempts(24 * hourMs, () => now)
  await next.find(layout, facts)
  expect(removedAfter(next, 11 * hourMs)).toEqual([])
  expect(removedAfter(next, 13 * hourMs)).toEqual(['1-1'])
  expect(await readdir(layout.root)).toEqual(['spool'])

  now = start
  const afterAhead = new KeptAttempts(24 * hourMs, () => now)
  await afterAhead.find(layout, over(start + 9_000 * hourMs))
  expect(removedAfter(afterAhead, 25 * hourMs)).toEqual(['1-1'])
})
