/** Counts wrong credentials by address, so that guessing is slow; good credentials from the same address always pass. */
import type { Clock } from '@iac-agent/runtime'

const windowMs = 60_000
const maxAddresses = 10_000

interface Window {
  startedAt: number
  failures: number
}

export class FailedLogins {
  readonly #windows = new Map<string, Window>()

  /** @param perMinute failures answered as such; those beyond are told to wait */
  constructor(
    private readonly perMinute: number,
    private readonly clock: Clock,
  ) {}

  /** Counts a failure; answers how many milliseconds to wait, 0 when this one is still within bounds. */
  count(address: string): number {
    const now = this.clock.monotonic()
    const known = this.#windows.get(address)
    const window = known !== undefined && now - known.startedAt < windowMs ? known : { startedAt: now, failures: 0 }
    window.failures += 1
    this.#windows.delete(address)
    this.#windows.set(address, window)
    if (this.#windows.size > maxAddresses) this.#dropOldest()
    return window.failures > this.perMinute ? window.startedAt + windowMs - now : 0
  }

  #dropOldest(): void {
    const [oldest] = this.#windows.keys()
    if (oldest !== undefined) this.#windows.delete(oldest)
  }
}
