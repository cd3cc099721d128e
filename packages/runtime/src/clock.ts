/** Time as a parameter. */
import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'

export interface Clock {
  /** Wall clock, epoch milliseconds: to show, and to store what is shown. Somebody may set it at any time, by any amount. */
  now(): number
  /**
   * Whole milliseconds that nobody sets: for durations and deadlines. Counts from the wall clock's time when the process began, so that
   * what is stored of it means about as much to the next process as the clock of the host does.
   */
  monotonic(): number
}

export const systemClock: Clock = openClock(process.env.IAC_CLOCK_OFFSET_FILE)

/**
 * @param offsetFile a test's way to set the wall clock: holds milliseconds to add, read at each call; no file adds none. Whoever writes
 *   it replaces it whole. Without it `now` costs what `Date.now` does.
 */
export function openClock(offsetFile: string | undefined): Clock {
  const now = offsetFile === undefined ? Date.now : () => Date.now() + offsetIn(offsetFile)
  const origin = now() - performance.now()
  return { now, monotonic: () => Math.round(origin + performance.now()) }
}

/** Waits `ms`, or until `signal` aborts; never rejects. */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return
  try {
    await delay(ms, undefined, signal === undefined ? {} : { signal })
  } catch (err) {
    if (!signal?.aborted) throw err // an abort is the early answer this function promises
  }
}

function offsetIn(file: string): number {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return 0
    throw cause
  }
  const offset = Number(text)
  if (!Number.isSafeInteger(offset))
    throw new Error(`IAC_CLOCK_OFFSET_FILE holds ${JSON.stringify(text)}, not milliseconds`)
  return offset
}
