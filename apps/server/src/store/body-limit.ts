/** A body that waits for something besides its reader or tx would stop everybody behind it: it is cut off. */
import { StoreError } from './store-error.js'

/** Bodies take milliseconds; one that takes this long waits for another body, that is, for itself. */
const defaultLimitMs = 10_000

/** Watches bodies by one timer: a timer for each would cost as much as a statement of it. */
export class BodyLimit {
  /** in the order of their ends */
  readonly #running = new Set<{ readonly until: number; readonly reject: (err: StoreError) => void }>()
  #timer: NodeJS.Timeout | undefined

  constructor(private readonly limitMs = defaultLimitMs) {}

  /** Settles as `body` does, or throws `store_failed` after the limit (ten seconds). */
  inTime<T>(body: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const running = { until: performance.now() + this.limitMs, reject }
      this.#running.add(running)
      this.#timer ??= setTimeout(() => this.#look(), this.limitMs).unref()
      body.then(
        (value) => {
          this.#running.delete(running)
          resolve(value)
        },
        (err) => {
          this.#running.delete(running)
          reject(err)
        },
      )
    })
  }

  #look(): void {
    const now = performance.now()
    this.#timer = undefined
    for (const running of this.#running) {
      if (running.until > now) {
        this.#timer = setTimeout(() => this.#look(), running.until - now).unref()
        return
      }
      this.#running.delete(running)
      running.reject(tooLong(this.limitMs))
    }
  }
}

function tooLong(limitMs: number): StoreError {
  return new StoreError(
    'store_failed',
    `a body of the store took over ${limitMs} ms: it waits for something besides its reader or tx`,
  )
}
