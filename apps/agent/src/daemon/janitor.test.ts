import { mkdir, readdir, symlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { silentLogger } from '@iac-agent/runtime'
import { type TemporaryDirectory, temporaryDirectory } from '@iac-agent/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { attemptLayoutAt, dataLayout, workLayout } from '../journal/layout.js'
import { claimWorkDirectory } from '../terraform/work-directory.js'
import { Caches } from './caches.js'
import { excessOf, Janitor, oldestBeyond } from './janitor.js'
import { type KeptAttempt, KeptAttempts, type WhyKept } from './kept-attempts.js'

const hourMs = 3_600_000
const now = 1_000 * hourMs

const kept = (name: string, why: WhyKept, ageHours: number, sizeBytes = 10): KeptAttempt => ({
  name,
  layout: attemptLayoutAt(`/nowhere/${name}`),
  why,
  since: now - ageHours * hourMs,
  sizeBytes,
  facts: [],
})

describe('what is kept too long or too much', () => {
  const lifeOf = (keepMs = 24 * hourMs) => {
    const attempts = new KeptAttempts(keepMs, () => now)
    return (why: WhyKept) => attempts.lifeMs(why)
  }
  const named = (all: KeptAttempt[], bounds: { keepMs?: number; bytes?: number } = {}) =>
    excessOf(all, { now, lifeMs: lifeOf(bounds.keepMs), bytes: bounds.bytes ?? 1_000 }).map(
      ({ attempt, why }) => `${attempt.name} ${why}`,
    )

  it('is what is older than its own rule says', () => {
    const all = [kept('a', 'acknowledged', 3), kept('b', 'refused', 3), kept('c', 'started_elsewhere', 25)]
    expect(named(all)).toEqual(['c age'])
    expect(named(all, { keepMs: 2 * hourMs })).toEqual(['a age', 'c age'])
  })

  it('is never what only a person may remove', () => {
    expect(named([kept('a', 'unknown_to_server', 900), kept('b', 'unreadable', 900)], { bytes: 0 })).toEqual([])
  })

  it('is the oldest of what is acknowledged, beyond the size', () => {
    const all = [
      kept('old', 'acknowledged', 3, 400),
      kept('new', 'acknowledged', 1, 400),
      kept('newer', 'acknowledged', 0, 400),
      kept('refused', 'refused', 5, 900),
    ]
    expect(named(all)).toEqual(['old size'])
    expect(named(all, { bytes: 399 })).toEqual(['old size', 'new size', 'newer size'])
    expect(named(all, { bytes: 1_200 })).toEqual([])
  })
})

describe('caches on disk', () => {
  let home: TemporaryDirectory
  let workRoot: string
  beforeEach(async () => {
    home = await temporaryDirectory('janitor')
    workRoot = join(home.path, 'work')
  })
  afterEach(async () => await home[Symbol.asyncDispose]())

  const data = () => dataLayout(home.path)
  const version = (name: string) => join(data().versions, 'terraform', name)

  /** Takes about 100 KiB. */
  async function fill(directory: string, ageHours: number): Promise<void> {
    await mkdir(directory, { recursive: true })
    await writeFile(join(directory, 'terraform'), Buffer.alloc(100 * 1024, 1))
    await utimes(directory, (now - ageHours * hourMs) / 1000, (now - ageHours * hourMs) / 1000)
  }

  async function look(cacheBytes: number, programsInUse: string[] = []): Promise<void> {
    const caches = new Caches({ data: data(), workRoot, programsInUse: () => programsInUse, now: () => now })
    const bounds = { keptBytes: 0, cacheBytes }
    await new Janitor({
      kept: new KeptAttempts(0, () => now),
      caches,
      bounds,
      now: () => now,
      log: silentLogger(),
    }).look()
  }

  const left = async () => [
    ...(await readdir(join(data().versions, 'terraform'))),
    ...(await readdir(workRoot)).filter((name) => !name.includes('.claim')),
  ]

  it('stay when they fit, and else go, the longest unused first', async () => {
    await fill(version('1.0.0'), 3)
    await fill(version('1.1.0'), 1)
    await fill(join(workRoot, 'ws-a'), 2)
    await look(1024 * 1024)
    expect(await left()).toEqual(['1.0.0', '1.1.0', 'ws-a'])
    await look(150 * 1024)
    expect(await left()).toEqual(['1.1.0'])
  })

  it('stay while they are in use, or were a moment ago', async () => {
    await fill(version('1.0.0'), 3)
    await fill(version('1.1.0'), 0.1)
    await fill(join(workRoot, 'ws-a'), 2)
    await fill(join(workRoot, 'ws-b'), 2)
    const attempt = attemptLayoutAt(join(home.path, 'attempts', '1-1'))
    const claim = await claimWorkDirectory(workLayout(workRoot, 'ws-a'), attempt)
    await look(0, [join(version('1.0.0'), 'terraform')])
    expect(await left()).toEqual(['1.0.0', '1.1.0', 'ws-a'])
    await claim.release()
    await look(0)
    expect(await left()).toEqual(['1.1.0'])
  })

  it('are not what somebody else put into the work root', async () => {
    await mkdir(join(data().versions, 'terraform'), { recursive: true })
    await fill(join(workRoot, 'photos'), 100)
    await symlink(home.path, join(workRoot, 'ws-link'))
    await look(0)
    expect(await left()).toContain('photos')
    expect(await readdir(home.path)).toContain('work')
  })

  it('lose a download that a dead process began', async () => {
    await fill(version('1.0.0'), 30)
    await fill(version('.download-x1'), 30)
    await fill(version('.download-x2'), 3)
    await mkdir(workRoot)
    await look(1024 * 1024)
    expect((await left()).sort()).toEqual(['.download-x2', '1.0.0'])
  })
})

it('takes of several the fewest, oldest first', () => {
  const all = [3, 1, 2].map((since) => ({ since, sizeBytes: 10 }))
  expect(oldestBeyond(all, 10).map(({ since }) => since)).toEqual([1, 2])
})
