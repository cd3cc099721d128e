/** What is wrong with the network of one proxy at the moment; whoever waits under it is woken by each change. */

/** `up`: from the client to the target. */
export type Way = 'up' | 'down'

export interface Fault {
  isRefusing: boolean
  swallowed: Way | 'both' | null
  delayMs: number
  /** Of each connection and way; null: no bound. */
  bytesPerSecond: number | null
}

const none: Fault = { isRefusing: false, swallowed: null, delayMs: 0, bytesPerSecond: null }

export class Faults {
  #now: Fault = none
  readonly #sleepers = new Set<() => void>()

  get now(): Readonly<Fault> {
    return this.#now
  }

  change(change: Partial<Fault>): void {
    this.#now = { ...this.#now, ...change }
    for (const wake of this.#sleepers) wake()
  }

  heal(): void {
    this.change(none)
  }

  swallows(way: Way): boolean {
    return this.#now.swallowed === way || this.#now.swallowed === 'both'
  }

  /** Waits until the time that `dueAt` answers (of `performance.now()`) is over; asks again after each change. */
  async until(dueAt: (now: Readonly<Fault>) => number): Promise<void> {
    for (;;) {
      const leftMs = dueAt(this.#now) - performance.now()
      if (leftMs <= 0) return
      await this.#sleep(leftMs)
    }
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer)
        this.#sleepers.delete(wake)
        resolve()
      }
      const timer = setTimeout(wake, ms)
      this.#sleepers.add(wake)
    })
  }
}
