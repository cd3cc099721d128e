/** Records, once per life of the server's store, that what an earlier one acknowledged of an attempt is to be sent again. */
import { isOfEarlierLife } from '../delivery/unsent.js'
import type { Journal } from '../journal/journal.js'

export class ResendMark {
  /** the store's life; 0 while none is known */
  #epoch = 0
  #markedIn = 0
  #marking: Promise<unknown> = Promise.resolve()
  #isOver = false

  /** @param persist tries until the disk allows it */
  constructor(
    private readonly journal: Journal,
    private readonly persist: (write: () => Promise<void>) => Promise<unknown>,
  ) {
    // An answer of an earlier life may be recorded after that life was seen to be over.
    journal.watch(({ fact }) => {
      if (fact === 'delivered') this.#markWhatIsLost()
    })
  }

  /** The server's store is in this life. */
  saw(epoch: number): void {
    this.#epoch = epoch
    this.#markWhatIsLost()
  }

  /** Resolves when what was to be recorded so far is durable. */
  get marked(): Promise<unknown> {
    return this.#marking
  }

  /** Nothing is recorded any more. */
  end(): void {
    this.#isOver = true
  }

  #markWhatIsLost(): void {
    const epoch = this.#epoch
    if (this.#isOver || epoch <= this.#markedIn || !isOfEarlierLife(this.journal.facts, epoch)) return
    this.#markedIn = epoch
    this.#marking = this.persist(() => this.journal.append({ fact: 'resend', epoch }))
  }
}
