/** So many a minute and key: wrong credentials of an address, so that guessing is slow; requests of a credential. */
import type { Clock } from '@iac-agent/runtime'

const windowMs = 60_000
const maxKeys = 10_000

interface Window {
  startedAt: number
  count: number
}

export class MinuteBudget {
  readonly #windows = new Map<string, Window>()

  /** @param perMinute those beyond are told to wait */
  constructor(
    private readonly perMinute: number,
    private readonly clock: Clock,
  ) {}

  /** Counts one; answers how many milliseconds to wait, 0 when this one is still within bounds. */
  count(key: string): number {
    const now = this.clock.monotonic()
    const known = this.#windows.get(key)
    const window = known !== undefined && now - known.startedAt < windowMs ? known : { startedAt: now, count: 0 }
    window.count += 1
    if (window !== known) this.#begin(key, window)
    return window.count > this.perMinute ? window.startedAt + windowMs - now : 0
  }

  /** Keys stand in the order of their windows. */
  #begin(key: string, window: Window): void {
    this.#windows.delete(key)
    this.#windows.set(key, window)
    if (this.#windows.size > maxKeys) this.#dropOldest()
  }

  #dropOldest(): void {
    const [oldest] = this.#windows.keys()
    if (oldest !== undefined) this.#windows.delete(oldest)
  }
}
