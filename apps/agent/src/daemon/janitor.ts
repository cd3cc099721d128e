/** Bounds what is kept on this host: attempts that are over by age and size, downloaded versions and init caches by size. Every bound is a setting. */
import { type Logger, Loop } from '@iac-agent/runtime'
import type { CacheEntry, Caches } from './caches.js'
import type { KeptAttempt, KeptAttempts, WhyKept } from './kept-attempts.js'

export interface JanitorParts {
  kept: KeptAttempts
  caches: Caches
  bounds: {
    /** of all acknowledged attempts together, bytes */
    keptBytes: number
    /** of all caches together, bytes */
    cacheBytes: number
  }
  /** `Clock.monotonic` */
  now(): number
  log: Logger
}

const lookEveryMs = 60_000
/** Walking the caches costs more than looking at an index. */
const lookAtCachesEvery = 10

export class Janitor {
  #looks = 0

  constructor(private readonly parts: JanitorParts) {}

  /** Looks each minute, until abort. */
  async run(signal: AbortSignal): Promise<void> {
    const onError = (error: unknown) => this.parts.log.warn({ err: error }, 'janitor could not look after everything')
    await new Loop({ everyMs: lookEveryMs, body: () => this.look(), onError }).run(signal)
  }

  /** One look; at the caches with the first one and every tenth. */
  async look(): Promise<void> {
    await this.#boundKept()
    if (this.#looks++ % lookAtCachesEvery === 0) await this.#boundCaches()
  }

  async #boundKept(): Promise<void> {
    const { kept, bounds, now, log } = this.parts
    const life = { now: now(), lifeMs: (why: WhyKept) => kept.lifeMs(why), bytes: bounds.keptBytes }
    for (const { attempt, why } of excessOf(kept.list(), life)) {
      await kept.remove(attempt)
      log.info({ attempt: attempt.name, kept_as: attempt.why, bytes: attempt.sizeBytes, why }, 'kept attempt removed')
    }
  }

  async #boundCaches(): Promise<void> {
    const { caches, bounds, log } = this.parts
    const all = await caches.list()
    const leftovers = all.filter((entry) => caches.isLeftover(entry))
    const tooMuch = oldestBeyond(
      all.filter((entry) => !leftovers.includes(entry)),
      bounds.cacheBytes,
    )
    for (const { path, sizeBytes } of [...leftovers, ...tooMuch]) {
      if (await caches.remove(path)) log.info({ path, bytes: sizeBytes }, 'cache removed')
    }
  }
}

/** What goes: too old by its own rule, or the oldest of the acknowledged beyond the size. Never what the server does not have. Pure. */
export function excessOf(
  kept: readonly KeptAttempt[],
  { now, lifeMs, bytes }: { now: number; lifeMs(why: WhyKept): number; bytes: number },
): { attempt: KeptAttempt; why: 'age' | 'size' }[] {
  const old = kept.filter(({ why, since }) => now - since > lifeMs(why))
  const young = kept.filter((attempt) => attempt.why === 'acknowledged' && !old.includes(attempt))
  return [
    ...old.map((attempt) => ({ attempt, why: 'age' as const })),
    ...oldestBeyond(young, bytes).map((attempt) => ({ attempt, why: 'size' as const })),
  ]
}

/** The oldest of `all` that must go so that the rest is at most `bytes`. Pure. */
export function oldestBeyond<T extends Pick<CacheEntry, 'since' | 'sizeBytes'>>(all: readonly T[], bytes: number): T[] {
  let total = all.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  return [...all]
    .sort((one, other) => one.since - other.since)
    .filter(({ sizeBytes }) => {
      const mustGo = total > bytes
      if (mustGo) total -= sizeBytes
      return mustGo
    })
}
