/** Bounds what is kept on this host: attempts that are over by age and size, downloaded versions and init caches by size. Every bound is a setting. */
import { type Logger, Loop } from '@iac-agent/runtime'
import type { CacheEntry, Caches } from './caches.js'
import type { KeptAttempt, KeptAttempts } from './kept-attempts.js'

export interface JanitorParts {
  kept: KeptAttempts
  caches: Caches
  bounds: {
    /** of all acknowledged attempts together, bytes */
    keptBytes: number
    /** of all caches together, bytes */
    cacheBytes: number
  }
  now(): number
  log: Logger
}

const lookEveryMs = 60_000
/** Walking the caches costs more than looking at an index. */
const lookAtCachesEvery = 10
/** What the server refused, and what another process started, is left for a person this long. */
const forPersonMs = 24 * 60 * 60 * 1000

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
    for (const { attempt, why } of excessOf(kept.list(), {
      now: now(),
      keepMs: kept.keepMs,
      bytes: bounds.keptBytes,
    })) {
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
  { now, keepMs, bytes }: { now: number; keepMs: number; bytes: number },
): { attempt: KeptAttempt; why: 'age' | 'size' }[] {
  const old = kept.filter(({ why, since }) => now - since > (lifetimes(keepMs)[why] ?? Number.POSITIVE_INFINITY))
  const young = kept.filter((attempt) => attempt.why === 'acknowledged' && !old.includes(attempt))
  return [
    ...old.map((attempt) => ({ attempt, why: 'age' as const })),
    ...oldestBeyond(young, bytes).map((attempt) => ({ attempt, why: 'size' as const })),
  ]
}

function lifetimes(keepMs: number): Partial<Record<KeptAttempt['why'], number>> {
  return { acknowledged: keepMs, refused: forPersonMs, started_elsewhere: forPersonMs }
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
