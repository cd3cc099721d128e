/** A body that waits for something besides its reader or tx would stop everybody behind it: it is cut off. */
import { StoreError } from './store-error.js'

/** Bodies take milliseconds; one that takes this long waits for another body, that is, for itself. */
const defaultLimitMs = 10_000

/** Settles as `body` does, or throws `store_failed` after `limitMs` (ten seconds). */
export async function inTime<T>(body: Promise<T>, limitMs = defaultLimitMs): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(tooLong(limitMs)), limitMs)
  })
  try {
    return await Promise.race([body, late])
  } finally {
    clearTimeout(timer)
  }
}

function tooLong(limitMs: number): StoreError {
  return new StoreError(
    'store_failed',
    `a body of the store took over ${limitMs} ms: it waits for something besides its reader or tx`,
  )
}
