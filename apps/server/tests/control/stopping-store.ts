/** A store in front of the real one that can be away, or take its time: the test's clock moves on during a read. */
import type { TransactionName } from '../../src/store/crash-points.js'
import type { Reader, Store, Tx } from '../../src/store/store.js'
import { StoreError } from '../../src/store/store-error.js'

export class StoppingStore implements Store {
  isAway = false
  /** once */
  nextReadTakesMs = 0

  constructor(private readonly world: { store: Store; clock: { advance(ms: number): void } }) {}

  get changes() {
    return this.world.store.changes
  }

  async read<T>(body: (reader: Reader) => Promise<T>): Promise<T> {
    this.#requireHere()
    this.world.clock.advance(this.nextReadTakesMs)
    this.nextReadTakesMs = 0
    return this.world.store.read(body)
  }

  async transaction<T>(name: TransactionName, body: (tx: Tx) => Promise<T>): Promise<T> {
    this.#requireHere()
    return this.world.store.transaction(name, body)
  }

  #requireHere(): void {
    if (this.isAway) throw new StoreError('store_failed', 'the disk is gone')
  }

  /** The real store is closed by whoever opened it. */
  async [Symbol.asyncDispose](): Promise<void> {}
}
