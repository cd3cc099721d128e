/** Moves what is committed from the WAL into the database file, on a thread beside: for a writer it takes longer than the commits it follows. */
import { createRequire } from 'node:module'
import { Worker } from 'node:worker_threads'

/** So long after a commit: what comes meanwhile goes with it, and a page that changes often is moved once. */
const patienceMs = 100

/**
 * A passive one waits for nobody, and nobody for it; what is committed meanwhile is left to the next.
 * Of pages it needs no cache: each is copied once.
 */
const program = `
const { parentPort, workerData } = require('node:worker_threads')
const Database = require(workerData.driver)
const database = new Database(workerData.path, { fileMustExist: true, timeout: 0 })
database.pragma('synchronous = FULL')
database.pragma('cache_size = 10')
const checkpoint = database.prepare('PRAGMA wal_checkpoint(PASSIVE)')
parentPort.on('message', (isAsked) => {
  if (isAsked) return checkpoint.all()
  database.close()
  parentPort.close()
})`

export class CheckpointThread implements AsyncDisposable {
  #thread: Worker | undefined
  #ended: Promise<void> = Promise.resolve()
  #due: NodeJS.Timeout | undefined
  #isOver: boolean = false

  /**
   * @param path of the database
   * @param onFault told once, when the thread failed: nothing is lost, but whoever commits has to do the checkpoints from now on
   */
  constructor(
    private readonly path: string,
    private readonly onFault: (err: unknown) => void,
  ) {}

  /** Something was committed: it will be moved, soon. */
  committed(): void {
    if (this.#due !== undefined || this.#isOver) return
    this.#due = setTimeout(() => this.#ask(), patienceMs)
    this.#due.unref()
  }

  /** After the checkpoint that is under way. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true
    clearTimeout(this.#due)
    this.#thread?.ref()
    this.#thread?.postMessage(false)
    await this.#ended
  }

  #ask(): void {
    this.#due = undefined
    this.#thread ??= this.#start()
    this.#thread.postMessage(true)
  }

  #start(): Worker {
    const workerData = { path: this.path, driver: createRequire(import.meta.url).resolve('better-sqlite3') }
    const resourceLimits = { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 16 }
    const thread = new Worker(program, { eval: true, workerData, resourceLimits, env: {}, execArgv: [] })
    thread.unref()
    this.#ended = new Promise((resolve) => {
      thread.on('error', (err) => this.#fail(err)) // its exit follows
      thread.on('exit', (code) => {
        this.#fail(new Error(`the thread of the checkpoints ended with ${code}`))
        resolve()
      })
    })
    return thread
  }

  #fail(err: unknown): void {
    if (this.#isOver) return
    this.#isOver = true
    clearTimeout(this.#due)
    this.onFault(err)
  }
}
