/**
 * The one reader handle. The first body of a turn of the event loop runs at once; the others of that turn run one after the other in one
 * read transaction, so that each sees one snapshot, no older than itself.
 */
import type { Database, Statement } from 'better-sqlite3'
import { BodyLimit } from './body-limit.js'
import { HotReads } from './hot-statements.js'
import { BodyReader, PreparedStatements, type Scope } from './sqlite-connection.js'
import type { Reader } from './store.js'
import { StoreError, translateStoreError } from './store-error.js'

/** Bodies of one transaction at most: bounds how long the first of them waits for its answer. */
const batchLimit = 256

interface Waiting {
  body(reader: Reader): Promise<unknown>
  resolve(value: unknown): void
  reject(err: unknown): void
}

export class ReadQueue {
  readonly #statements: PreparedStatements
  readonly #begin: Statement
  readonly #commit: Statement
  readonly #limit = new BodyLimit()
  readonly #waiting: Waiting[] = []
  #draining: Promise<void> | undefined
  /** A body of this turn of the event loop has run. */
  #isTurnTaken: boolean = false
  #isClosed: boolean = false

  constructor(handle: Database) {
    this.#statements = new PreparedStatements(handle)
    this.#begin = handle.prepare('BEGIN')
    this.#commit = handle.prepare('COMMIT')
  }

  /** Queues `body`; settles when it has run. */
  add<T>(body: (reader: Reader) => Promise<T>): Promise<T> {
    if (this.#isClosed) return Promise.reject(new StoreError('store_closed', 'the store is closed'))
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({ body, resolve: resolve as (value: unknown) => void, reject })
      this.#draining ??= this.#drain()
    })
  }

  /** Takes no more bodies and waits for those that are queued. */
  async close(): Promise<void> {
    this.#isClosed = true
    await this.#draining
  }

  async #drain(): Promise<void> {
    // A lone body must not wait, behind a COMMIT perhaps; whatever else arrives in this turn joins the batch.
    if (this.#isTurnTaken) await new Promise((resolve) => setImmediate(resolve))
    else this.#takeTurn()
    while (this.#waiting.length > 0) await this.#read(this.#waiting.splice(0, batchLimit))
    this.#draining = undefined
  }

  #takeTurn(): void {
    this.#isTurnTaken = true
    setImmediate(() => {
      this.#isTurnTaken = false
    })
  }

  /** Who comes meanwhile may know of a COMMIT that this snapshot does not: it waits for the next one. */
  async #read(batch: readonly Waiting[]): Promise<void> {
    try {
      this.#begin.run()
      for (const waiting of batch) await this.#run(waiting)
      if (this.#statements.handle.inTransaction) this.#commit.run()
    } catch (err) {
      for (const { reject } of batch) reject(translateStoreError(err)) // who was answered does not hear it
    }
  }

  async #run({ body, resolve, reject }: Waiting): Promise<void> {
    const scope: Scope = { isOpen: true }
    const reader = new BodyReader(this.#statements, scope, new HotReads(this.#statements, scope))
    try {
      resolve(await this.#limit.inTime(body(reader)))
    } catch (err) {
      reject(translateStoreError(err))
    } finally {
      scope.isOpen = false
    }
  }
}
