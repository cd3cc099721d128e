/** When leases may be ended: the arithmetic that keeps a late timer or a burst from ending healthy runs. Pure. */

/** A pass later than this says the server itself was away (stopped, overloaded): no agent is to blame. */
const lateAfterMs = 2_000

/** Of the open leases, at most this share is ended in a minute, but always up to `sweepFloor`. */
const sweepShare = 0.05
const sweepFloor = 3

export interface Lateness {
  /** add this to every lease */
  readonly extendByMs: number
  /** end no lease before this time */
  readonly holdUntil: number
}

/**
 * Judges a pass that was due at `dueAt` and runs at `now` (both of `Clock.monotonic`).
 * @returns undefined when it is on time
 */
export function judgeLateness(dueAt: number, now: number, heartbeatIntervalMs: number): Lateness | undefined {
  const lateMs = now - dueAt
  return lateMs > lateAfterMs ? { extendByMs: lateMs, holdUntil: now + heartbeatIntervalMs } : undefined
}

/** Ended leases of the last minute, and how many more may be ended now. */
export class SweepBudget {
  #ended: number[] = []

  /** How many of `openLeases` may be ended at `now`: max(3, 5 %) a minute. */
  available(openLeases: number, now: number): number {
    this.#ended = this.#ended.filter((at) => at > now - 60_000)
    const perMinute = Math.max(sweepFloor, Math.floor(openLeases * sweepShare))
    return Math.max(0, perMinute - this.#ended.length)
  }

  spend(count: number, now: number): void {
    for (let spent = 0; spent < count; spent++) this.#ended.push(now)
  }
}

/** Whether somebody has to be told that leases are over and wait: when it begins, once a minute while it lasts, when it ends. */
export class SweepAlarm {
  #saidAt: number | undefined

  /** @param waiting leases that are over and were not ended, for the budget's sake */
  judge(waiting: number, now: number): 'raise' | 'clear' | undefined {
    if (waiting === 0) {
      const wasRaised = this.#saidAt !== undefined
      this.#saidAt = undefined
      return wasRaised ? 'clear' : undefined
    }
    if (this.#saidAt !== undefined && now - this.#saidAt < 60_000) return undefined
    this.#saidAt = now
    return 'raise'
  }
}
