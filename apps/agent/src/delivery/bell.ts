/** Wakes whoever waits for something to do; a ring while nobody waits is kept for the next who does. */
export class Bell {
  #rings = 0
  readonly #waiting = new Set<() => void>()

  /** A mark for `wait`: take it before looking whether there is something to do. */
  get rings(): number {
    return this.#rings
  }

  ring(): void {
    this.#rings++
    for (const wake of [...this.#waiting]) wake()
  }

  /** Resolves when it rang after `since`, after `ms` when given, or on abort. Never rejects. */
  async wait(since: number, signal: AbortSignal, ms?: number): Promise<void> {
    if (this.#rings !== since || signal.aborted) return
    await new Promise<void>((resolve) => {
      const done = () => {
        clearTimeout(timer)
        signal.removeEventListener('abort', done)
        this.#waiting.delete(done)
        resolve()
      }
      const timer = ms === undefined ? undefined : setTimeout(done, ms)
      signal.addEventListener('abort', done)
      this.#waiting.add(done)
    })
  }
}
