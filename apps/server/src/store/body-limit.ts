/** A body that waits for something besides its reader or tx would stop everybody behind it: it is cut off. */
import { StoreError } from './store-error.js'

/** Bodies take milliseconds; one that takes this long waits for another body, that is, for itself. */
const defaultLimitMs = 5_000

type Reject = (err: StoreError) => void

/** Watches a queue's bodies, of which one runs at a time, by one timer: to note that a body ended would cost it more than it gains. */
export class BodyLimit {
  /** of the body that began last; a body that has ended does not hear it */
  #reject: Reject | undefined
  /** of the body that had begun when the timer last looked */
  #suspect: Reject | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(private readonly limitMs = defaultLimitMs) {}

  /** Settles as `body` does, or throws `store_failed` when it takes longer than the limit; at the latest after twice as long. */
  inTime<T>(body: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#reject = reject
      this.#timer ??= setTimeout(() => this.#look(), this.limitMs).unref()
      body.then(resolve, reject)
    })
  }

  #look(): void {
    const isSame = this.#reject === this.#suspect
    this.#suspect = this.#reject
    this.#timer = isSame ? undefined : setTimeout(() => this.#look(), this.limitMs).unref()
    if (isSame) this.#reject?.(tooLong(this.limitMs))
  }
}

function tooLong(limitMs: number): StoreError {
  return new StoreError(
    'store_failed',
    `a body of the store took over ${limitMs} ms: it waits for something besides its reader or tx`,
  )
}
