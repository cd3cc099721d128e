/** One endless job: run the body, wait, again; stopped by abort and awaited. */

export interface LoopOptions {
  /** milliseconds between the end of one pass and the start of the next */
  everyMs: number | (() => number)
  /** one pass; it may look at the signal to end early */
  body(signal: AbortSignal): Promise<void>
  /** a pass that threw does not end the loop; say what happened */
  onError(err: unknown): void
}

export class Loop {
  #wakes = 0
  #wakeUp: (() => void) | undefined

  constructor(private readonly options: LoopOptions) {}

  /** Passes until `signal` aborts; resolves when the last pass is over. The first pass starts at once. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const seen = this.#wakes
      try {
        await this.options.body(signal)
      } catch (err) {
        if (!signal.aborted) this.options.onError(err)
      }
      if (this.#wakes === seen) await this.#rest(signal)
    }
  }

  /** Starts the next pass now; during a pass: right after it. */
  wake(): void {
    this.#wakes += 1
    this.#wakeUp?.()
  }

  async #rest(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return
    const { everyMs } = this.options
    await new Promise<void>((resolve) => {
      const done = () => {
        clearTimeout(timer)
        signal.removeEventListener('abort', done)
        this.#wakeUp = undefined
        resolve()
      }
      const timer = setTimeout(done, typeof everyMs === 'function' ? everyMs() : everyMs)
      signal.addEventListener('abort', done)
      this.#wakeUp = done
    })
  }
}
