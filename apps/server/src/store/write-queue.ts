/**
 * The one writer: bodies wait in a queue, run one after the other inside one transaction, and are answered after the COMMIT they share
 * (group commit). A body that throws rolls back alone: when others ran before it, all of them run again, each in its own savepoint.
 */
import type { Database, Statement } from 'better-sqlite3'
import { BodyLimit } from './body-limit.js'
import { crashPoint, type TransactionName } from './crash-points.js'
import { HotStatements } from './hot-statements.js'
import { BodyReader, PreparedStatements, type Scope } from './sqlite-connection.js'
import type { Change, Tx } from './store.js'
import { StoreError, translateStoreError } from './store-error.js'

/**
 * What nothing points at yet and nobody was told of: parts of an upload. Its COMMIT is not synced by itself; the one that points at the
 * parts is, and with it all of the WAL before it. A process that dies loses nothing; a host that does loses an unfinished upload.
 */
const unpromised: ReadonlySet<TransactionName> = new Set(['store_blob_part'])

/** Bodies that share one COMMIT at most: bounds how long the first of them waits for its answer. */
const batchLimit = 256

interface Waiting {
  readonly name: TransactionName
  run(tx: Tx): Promise<unknown>
  resolve(value: unknown): void
  reject(err: unknown): void
  /** Set after its transaction was lost with others: it runs again in one of its own. */
  alone: boolean
}

export class WriteQueue {
  readonly #statements: PreparedStatements
  readonly #steps: Record<'begin' | 'commit' | 'rollback' | 'save' | 'release' | 'undo', Statement>
  readonly #tell: (changes: readonly Change[]) => void
  readonly #limit = new BodyLimit()
  readonly #waiting: Waiting[] = []
  #draining: Promise<void> | undefined
  #isClosed: boolean = false
  #isSynced: boolean = true
  /** The next batch takes savepoints, which cost a body as much as a statement: one of it throws. */
  #isCareful: boolean = false
  /** runs while only patient bodies wait */
  #patience: NodeJS.Timeout | undefined

  /** @param checkpoints told of each commit */
  constructor(
    handle: Database,
    private readonly checkpoints: { committed(): void },
    tell: (changes: readonly Change[]) => void,
  ) {
    this.#statements = new PreparedStatements(handle)
    this.#steps = {
      begin: handle.prepare('BEGIN IMMEDIATE'),
      commit: handle.prepare('COMMIT'),
      rollback: handle.prepare('ROLLBACK'),
      save: handle.prepare('SAVEPOINT body'),
      release: handle.prepare('RELEASE body'),
      undo: handle.prepare('ROLLBACK TO body'),
    }
    this.#tell = tell
  }

  /**
   * Queues `body`; settles after the COMMIT it is part of.
   * @param patienceMs so long it may wait for others to share a COMMIT with; the next impatient body takes it along at once
   */
  add<T>(name: TransactionName, body: (tx: Tx) => Promise<T>, patienceMs = 0): Promise<T> {
    if (this.#isClosed) return Promise.reject(new StoreError('store_closed', 'the store is closed'))
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({ name, run: body, resolve: resolve as (value: unknown) => void, reject, alone: false })
      if (patienceMs === 0) this.#begin()
      else if (this.#draining === undefined) this.#patience ??= setTimeout(() => this.#begin(), patienceMs)
    })
  }

  /** Takes no more bodies and waits for those that are queued. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#begin()
    await this.#draining
  }

  #begin(): void {
    clearTimeout(this.#patience)
    this.#patience = undefined
    this.#draining ??= this.#drain()
  }

  async #drain(): Promise<void> {
    await this.#gather()
    while (this.#waiting.length > 0) await this.#commitBatch()
    this.#draining = undefined
  }

  /** Whatever arrives in this turn of the event loop joins the batch, and what each further turn brings: a lone body waits for one. */
  async #gather(): Promise<void> {
    let known: number
    do {
      known = this.#waiting.length
      await new Promise((resolve) => setImmediate(resolve))
    } while (this.#waiting.length > known && known < batchLimit)
  }

  async #commitBatch(): Promise<void> {
    const handle = this.#statements.handle
    const done: { body: Waiting; value: unknown }[] = []
    const changes: Change[] = []
    const isSynced = this.#waiting.some(({ name }) => !unpromised.has(name))
    const isCareful = this.#isCareful
    this.#isCareful = false
    try {
      this.#sync(isSynced)
      this.#steps.begin.run()
    } catch (err) {
      this.#waiting.shift()?.reject(translateStoreError(err))
      return
    }
    try {
      while (done.length < batchLimit) {
        const body = this.#take(done.length, isSynced)
        if (!body) break
        const way = done.length === 0 ? 'first' : isCareful ? 'saved' : 'bare'
        const value = await this.#run(body, changes, way)
        if (!handle.inTransaction) throw new StoreError('store_failed', 'the database rolled the transaction back')
        if (value === spoiled) return this.#again([...done.map((one) => one.body), body])
        if (value !== failed) done.push({ body, value })
        if (body.alone) break
      }
      for (const { body } of done) crashPoint(`${body.name}.committing`)
      this.#steps.commit.run()
      for (const { body } of done) crashPoint(`${body.name}.committed`)
    } catch (err) {
      if (handle.inTransaction) handle.exec('ROLLBACK')
      this.#lost(
        done.map(({ body }) => body),
        err,
      )
      return
    }
    this.checkpoints.committed()
    this.#tell(changes)
    for (const { body, value } of done) body.resolve(value)
  }

  /** Whether commits from now on are on disk when they return. */
  #sync(isSynced: boolean): void {
    if (this.#isSynced === isSynced) return
    this.#statements.handle.pragma(`synchronous = ${isSynced ? 'FULL' : 'NORMAL'}`)
    this.#isSynced = isSynced
  }

  /** The next body that may join a batch of `size`; one that must be alone opens its own, and one that must be synced another. */
  #take(size: number, isSynced: boolean): Waiting | undefined {
    const next = this.#waiting[0]
    if (next !== undefined && ((next.alone && size > 0) || !(isSynced || unpromised.has(next.name)))) return undefined
    return this.#waiting.shift()
  }

  /** As long as nobody ran before it, the transaction is the body's savepoint. */
  async #run(body: Waiting, changes: Change[], way: 'first' | 'saved' | 'bare'): Promise<unknown> {
    const handle = this.#statements.handle
    const scope: Scope = { isOpen: true }
    const own: Change[] = []
    const tx = new Body(this.#statements, scope, own)
    if (way === 'saved') this.#steps.save.run()
    try {
      const value = await this.#limit.inTime(body.run(tx))
      scope.isOpen = false
      if (way === 'saved') this.#steps.release.run()
      changes.push(...own)
      return value
    } catch (err) {
      scope.isOpen = false
      if (way === 'bare' && handle.inTransaction) return spoiled
      if (handle.inTransaction) this.#undo(way)
      body.reject(translateStoreError(err))
      return failed
    }
  }

  #undo(way: 'first' | 'saved' | 'bare'): void {
    const [first, then] = way === 'first' ? (['rollback', 'begin'] as const) : (['undo', 'release'] as const)
    this.#steps[first].run()
    this.#steps[then].run()
  }

  /** Gives the transaction up, and takes its bodies first into the next one, where whoever throws rolls back alone. */
  #again(bodies: Waiting[]): void {
    this.#steps.rollback.run()
    this.#waiting.unshift(...bodies)
    this.#isCareful = true
  }

  /** The transaction is gone with all its bodies: a single one is told, several run again one by one. */
  #lost(bodies: Waiting[], err: unknown): void {
    if (bodies.length === 1) bodies[0]?.reject(translateStoreError(err))
    else this.#waiting.unshift(...bodies.map((body) => ({ ...body, alone: true })))
  }
}

class Body extends BodyReader<HotStatements> implements Tx {
  constructor(
    statements: PreparedStatements,
    scope: Scope,
    private readonly changes: Change[],
  ) {
    super(statements, scope, new HotStatements(statements, scope))
  }

  changed(change: Change): void {
    this.changes.push(change)
  }
}

const failed = Symbol('failed')
/** It failed, and what it did cannot be told from what others did. */
const spoiled = Symbol('spoiled')
