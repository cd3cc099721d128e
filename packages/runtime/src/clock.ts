/** Time as a parameter. */
import { setTimeout as delay } from 'node:timers/promises'

export interface Clock {
  /** wall clock, epoch milliseconds: for display and for storing */
  now(): number
  /** milliseconds that never jump: for measuring */
  monotonic(): number
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
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
