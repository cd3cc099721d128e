/** An attempt's journal: facts appended as JSON lines, each written before `append` resolves, and durable (fsync) where anything hangs on it. */

import { type FileHandle, mkdir, open, readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { parse } from '@iac-agent/protocol'
import { syncDirectory, systemClock } from '@iac-agent/runtime'
import { Fact, type NewFact } from './attempt-record.js'
import { type Ballast, noBallast, withBallast } from './ballast.js'
import { writeAll } from './write-all.js'

export type FactListener = (fact: Fact) => void

/**
 * Facts of what can be done again, or sent again, without harm: they are durable with the next one that is not of these. A process that
 * dies loses none of them, a host only those after the last fact by which something was begun or told.
 */
const redoable: ReadonlySet<Fact['fact']> = new Set([
  'fetched',
  'prepared',
  'engineFound',
  'planRestored',
  'initSkipped',
  'backendOpened',
  'memoryPeaked',
  'planShown',
  'planJsonSaved',
  'planPacked',
  'statesCollected',
  'outputClosed',
  'delivered',
])

/** The one writer of a journal file. Appends made at once share an fsync. */
export class Journal implements AsyncDisposable {
  readonly #file: FileHandle
  readonly #facts: Fact[]
  readonly #listeners = new Set<FactListener>()
  #waiting: { line: string; fact: Fact; done: Completion }[] = []
  #flushing: Promise<void> | undefined
  /** the file's name is on disk, or on its way */
  #named: Promise<void> | undefined

  private constructor(
    file: FileHandle,
    facts: Fact[],
    private readonly directory: string,
    private readonly ballast: Pick<Ballast, 'giveBack'>,
    private sizeBytes: number,
  ) {
    this.#file = file
    this.#facts = facts
  }

  /** Opens or creates the journal at `path`; a torn last line of a crash is cut off. `ballast` is spent on facts that find no room. */
  static async open(path: string, ballast: Pick<Ballast, 'giveBack'> = noBallast): Promise<Journal> {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    const { facts, sizeBytes, isTorn } = await readFacts(path)
    const file = await open(path, 'a', 0o600)
    if (isTorn) await file.truncate(sizeBytes)
    const journal = new Journal(file, facts, dirname(path), ballast, sizeBytes)
    journal.#syncName().catch(() => undefined) // tried again with the first fact that is to last
    return journal
  }

  /** All facts so far, oldest first; grows in place. */
  get facts(): readonly Fact[] {
    return this.#facts
  }

  /** Records a fact; once resolved it survives the death of this process, and unless redoable that of the host. Rejects when the disk refuses it: then it did not happen. */
  async append(fact: NewFact): Promise<void> {
    const stamped = { ...fact, at: new Date(systemClock.now()).toISOString() } as Fact
    const done = completion()
    this.#waiting.push({ line: `${JSON.stringify(stamped)}\n`, fact: stamped, done })
    this.#flushing ??= this.#flush()
    await done.promise
  }

  /** Calls `listener` after each durable fact; returns how to stop. */
  watch(listener: FactListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#flushing
    try {
      await this.#file.datasync()
    } finally {
      await this.#file.close()
    }
  }

  async #flush(): Promise<void> {
    await Promise.resolve() // facts appended in the same turn go together
    while (this.#waiting.length > 0) {
      const batch = this.#waiting
      this.#waiting = []
      try {
        const lines = Buffer.from(batch.map((each) => each.line).join(''))
        const isRedoable = batch.every(({ fact }) => redoable.has(fact.fact))
        const sync = () => Promise.all([this.#file.datasync(), this.#syncName()])
        await withBallast(this.ballast, () =>
          writeWhole(this.#file, lines, this.sizeBytes, isRedoable ? undefined : sync),
        )
        this.sizeBytes += lines.length
      } catch (cause) {
        for (const each of batch) each.done.reject(cause)
        continue
      }
      for (const each of batch) this.#facts.push(each.fact)
      for (const each of batch) {
        each.done.resolve()
        for (const listener of this.#listeners) listener(each.fact)
      }
    }
    this.#flushing = undefined
  }

  #syncName(): Promise<void> {
    this.#named ??= syncDirectory(this.directory).catch((cause: unknown) => {
      this.#named = undefined
      throw cause
    })
    return this.#named
  }
}

/** Reads a journal without opening it for writing; a torn tail is left out, a missing file has no facts. */
export async function readJournal(path: string): Promise<Fact[]> {
  return (await readFacts(path)).facts
}

async function readFacts(path: string): Promise<{ facts: Fact[]; sizeBytes: number; isTorn: boolean }> {
  let bytes: Buffer
  try {
    bytes = await readFile(path)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return { facts: [], sizeBytes: 0, isTorn: false }
    throw cause
  }
  const sizeBytes = bytes.lastIndexOf('\n') + 1
  const lines = bytes.subarray(0, sizeBytes).toString('utf8').split('\n').slice(0, -1)
  const facts = lines.map((line, index) => parse(Fact, JSON.parse(line), `${path}:${index + 1}`))
  return { facts, sizeBytes, isTorn: sizeBytes < bytes.length }
}

/** Appends all of `lines`, and syncs them if told how; a half-written line is cut off again, so that the next append starts a line. */
async function writeWhole(
  file: FileHandle,
  lines: Buffer,
  sizeBefore: number,
  sync: (() => Promise<unknown>) | undefined,
): Promise<void> {
  try {
    await writeAll(file, lines, sizeBefore)
    await sync?.()
  } catch (cause) {
    await file.truncate(sizeBefore)
    throw cause
  }
}

interface Completion {
  promise: Promise<void>
  resolve: () => void
  reject: (cause: unknown) => void
}

function completion(): Completion {
  let resolve: () => void = () => undefined
  let reject: (cause: unknown) => void = () => undefined
  const promise = new Promise<void>((onResolve, onReject) => {
    resolve = onResolve
    reject = onReject
  })
  return { promise, resolve, reject }
}
