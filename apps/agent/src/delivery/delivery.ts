/**
 * Delivery of one attempt, in rounds of lanes: one, unless the server's store turns out to be in another life. What is unsent is read
 * from the journal, so a new process goes on where the old one ended.
 */
import type { Stage } from '@iac-agent/protocol'
import type { Item } from '../journal/attempt-record.js'
import { type DeliveryOptions, Round } from './round.js'
import { isAllSettled, unsentItems } from './unsent.js'

export class Delivery {
  /** Resolves when every item is delivered or refused for good; never rejects. */
  readonly settled: Promise<void>
  readonly #options: DeliveryOptions
  #round: Round | undefined
  #stage: Stage | undefined
  #isWatched = false
  #settle: () => void = () => undefined

  constructor(options: DeliveryOptions) {
    this.#options = options
    this.settled = new Promise((resolve) => {
      this.#settle = resolve
    })
    if (isAllSettled(options.journal.facts)) this.#settle()
  }

  /** Runs the lanes until all is settled, or abort: then what is unsent stays on disk. Run once; never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { journal } = this.#options
    while (!(signal.aborted || isAllSettled(journal.facts))) {
      const over = new AbortController()
      this.#round = new Round(this.#options, AbortSignal.any([signal, over.signal]))
      this.#round.watch(this.#isWatched)
      if (this.#stage !== undefined) this.#round.stage(this.#stage)
      // what a lane knows of the server does not hold in another life of its store; and nobody is told what it does not know
      const unwatch = journal.watch(({ fact }) => {
        if (fact === 'resend' || fact === 'unknownToServer') over.abort()
      })
      await this.#round.run()
      unwatch()
    }
    if (isAllSettled(journal.facts)) this.#settle()
  }

  /** There are new lines of progress on disk. */
  progressed(): void {
    this.#round?.progressed()
  }

  /** Best effort; the newest wins. */
  stage(stage: Stage): void {
    this.#stage = stage
    this.#round?.stage(stage)
  }

  /** start_realtime_stream and stop_realtime_stream. */
  watch(isWatched: boolean): void {
    this.#isWatched = isWatched
    this.#round?.watch(isWatched)
  }

  /** log_ack. */
  acknowledgeLive(nextOffset: number): void {
    this.#round?.acknowledgeLive(nextOffset)
  }

  /** Log bytes the server is known to hold. */
  get logBytesAcknowledged(): number {
    return this.#round?.logBytesAcknowledged ?? 0
  }

  /** What the server has not acknowledged yet (`status`, and what drain waits for). */
  unsent(): Item[] {
    return unsentItems(this.#options.journal.facts)
  }
}
