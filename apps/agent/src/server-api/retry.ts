/** Tries again what the network or a passing state of the server prevented: full jitter, Retry-After obeyed, woken by good news. */
import { backoffMs, type Logger } from '@iac-agent/runtime'
import { isRetryable, retryAfterMs, ServerUnreachable } from './errors.js'

export interface RetryOptions {
  log: Logger
  /** default 500 ms */
  firstMs?: number
  /** default 10 s */
  maxMs?: number
  random?: () => number
}

/** A woken waiter still keeps this distance from its last try, so that a success elsewhere does not make it spin. */
const closestMs = 250

export class Retry {
  readonly #options: RetryOptions
  readonly #waiting = new Set<() => void>()

  constructor(options: RetryOptions) {
    this.#options = options
  }

  /**
   * Runs `body` until it succeeds.
   * @throws what `body` threw when the same would happen again, and `signal.reason` when aborted while waiting
   */
  async run<T>(what: string, signal: AbortSignal, body: () => Promise<T>): Promise<T> {
    for (let attempt = 0; ; attempt++) {
      signal.throwIfAborted()
      try {
        const answer = await body()
        if (attempt > 0) this.#options.log.info({ what, attempt }, 'request succeeded at last')
        return answer
      } catch (err) {
        if (!isRetryable(err)) throw err
        const level = attempt === 0 ? 'warn' : 'debug'
        this.#options.log[level]({ what, attempt, err }, 'request failed, trying again')
        await this.#wait(
          this.#delayMs(err, attempt),
          err instanceof ServerUnreachable && retryAfterMs(err) === undefined,
          signal,
        )
      }
    }
  }

  /** The server was reached: whoever waits because it was not tries now. */
  wake(): void {
    for (const wake of [...this.#waiting]) wake()
  }

  #delayMs(err: unknown, attempt: number): number {
    const { firstMs = 500, maxMs = 10_000, random } = this.#options
    return Math.max(retryAfterMs(err) ?? 0, closestMs + backoffMs(attempt, { firstMs, maxMs }, random))
  }

  /** Only who waits for the network is woken; who was told to wait by the server does. */
  async #wait(ms: number, isWakeable: boolean, signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      const since = performance.now()
      const done = () => {
        clearTimeout(timer)
        signal.removeEventListener('abort', done)
        this.#waiting.delete(wake)
        resolve()
      }
      let timer = setTimeout(done, ms)
      const wake = () => {
        clearTimeout(timer)
        timer = setTimeout(done, Math.max(0, since + closestMs - performance.now()))
      }
      signal.addEventListener('abort', done)
      if (signal.aborted) done()
      else if (isWakeable) this.#waiting.add(wake)
    })
  }
}
