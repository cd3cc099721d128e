/** A body that waits for something besides its reader or tx would stop everybody behind it: it is cut off. */
import { StoreError } from './store-error.js'

/** Bodies take milliseconds; one that takes this long waits for another body, that is, for itself. */
const defaultLimitMs = 10_000

/** Settles as `body` does, or throws `store_failed` after `limitMs` (ten seconds). */
export function inTime<T>(body: Promise<T>, limitMs = defaultLimitMs): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(tooLong(limitMs)), limitMs)
    const settle = () => clearTimeout(timer)
    body.then(resolve, reject)
    body.then(settle, settle)
  })
}

function tooLong(limitMs: number): StoreError {
  return new StoreError(
    'store_failed',
    `a body of the store took over ${limitMs} ms: it waits for something besides its reader or tx`,
  )
}
