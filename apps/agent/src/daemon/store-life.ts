/** In which life the server's store is: every answer says it, and a restore from a backup begins another one. */
import type { Logger } from '@iac-agent/runtime'

/** @param former undefined: the server said it for the first time */
type Listener = (epoch: number, former: number | undefined) => void

export class StoreLife {
  #epoch: number | undefined
  readonly #listeners: Listener[] = []

  constructor(private readonly log: Logger) {}

  /** Undefined until the server said it. */
  get epoch(): number | undefined {
    return this.#epoch
  }

  /** Called once per life, with the first one too. */
  onNew(listener: Listener): void {
    this.#listeners.push(listener)
  }

  /** The server said so. An answer that is still on its way from an earlier life changes nothing. */
  saw(epoch: number): void {
    if (epoch <= (this.#epoch ?? 0)) return
    const former = this.#epoch
    if (former !== undefined) this.log.warn({ store_epoch: epoch }, 'the server was restored from a backup')
    this.#epoch = epoch
    for (const listener of this.#listeners) listener(epoch, former)
  }
}
