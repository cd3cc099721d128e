/** The one reader handle: bodies take turns, each in a read transaction of its own, so that each sees one snapshot. */
import type { Database, Statement } from 'better-sqlite3'
import { BodyLimit } from './body-limit.js'
import { HotReads } from './hot-statements.js'
import { BodyReader, PreparedStatements, type Scope } from './sqlite-connection.js'
import type { Reader } from './store.js'
import { StoreError, translateStoreError } from './store-error.js'

export class ReadQueue {
  readonly #statements: PreparedStatements
  readonly #begin: Statement
  readonly #commit: Statement
  readonly #limit = new BodyLimit()
  #last: Promise<unknown> = Promise.resolve()
  /** bodies that have not ended */
  #open = 0
  #isClosed: boolean = false

  constructor(handle: Database) {
    this.#statements = new PreparedStatements(handle)
    this.#begin = handle.prepare('BEGIN')
    this.#commit = handle.prepare('COMMIT')
  }

  /** Runs `body` when those before it have ended; at once when there are none. */
  add<T>(body: (reader: Reader) => Promise<T>): Promise<T> {
    if (this.#isClosed) return Promise.reject(new StoreError('store_closed', 'the store is closed'))
    const isFree = this.#open++ === 0
    const turn = isFree ? this.#run(body) : this.#last.then(() => this.#run(body))
    const leave = () => this.#open--
    this.#last = turn.then(leave, leave) // the caller hears of a fault; the next body only waits
    return turn
  }

  /** Takes no more bodies and waits for those that are queued. */
  async close(): Promise<void> {
    this.#isClosed = true
    await this.#last
  }

  async #run<T>(body: (reader: Reader) => Promise<T>): Promise<T> {
    const scope: Scope = { isOpen: true }
    const { handle } = this.#statements
    this.#begin.run()
    try {
      return await this.#limit.inTime(
        body(new BodyReader(this.#statements, scope, new HotReads(this.#statements, scope))),
      )
    } catch (err) {
      throw translateStoreError(err)
    } finally {
      scope.isOpen = false
      if (handle.inTransaction) this.#commit.run()
    }
  }
}
