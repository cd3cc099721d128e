/** Looks at bytes as they pass: at many of them on a thread of its own, so that what takes them in and puts them away does not wait. */
import { Worker } from 'node:worker_threads'

export interface Look<Finding> {
  push(bytes: Uint8Array): void
  /** Of all that was pushed; nothing may follow. */
  finding(): Finding
}

type MakeLook<Finding> = (names: readonly string[]) => Look<Finding>

/** A kind of look, for this thread and for others. */
export interface LookKind<Finding> {
  readonly make: MakeLook<Finding>
  readonly text: string
}

/** @param define called once in each thread; uses nothing from outside, since its text is a program for them */
export function defineLook<Finding>(define: () => MakeLook<Finding>): LookKind<Finding> {
  return { make: define(), text: String(define) }
}

export interface PassingBytes<Finding> extends AsyncDisposable {
  /** Takes the next bytes; they may change once it resolves. @throws when the thread died */
  push(bytes: Uint8Array): Promise<void>
  /** Of all that was pushed; nothing may follow. @throws when the thread died */
  finding(): Promise<Finding>
}

/** A thread costs tens of milliseconds to start, and some megabytes. */
const manyBytes = 24 * 1024 * 1024
const blockBytes = 1024 * 1024
/** So far the thread may be behind. */
const mostBlocks = 4

/** @param expectedBytes how many will come, as far as anybody said */
export function passingBytes<Finding>(
  kind: LookKind<Finding>,
  names: readonly string[],
  expectedBytes: number,
): PassingBytes<Finding> {
  return expectedBytes < manyBytes ? new SeenHere(kind.make(names)) : new SeenBeside(kind, names)
}

class SeenHere<Finding> implements PassingBytes<Finding> {
  constructor(private readonly look: Look<Finding>) {}

  async push(bytes: Uint8Array): Promise<void> {
    this.look.push(bytes)
  }

  async finding(): Promise<Finding> {
    return this.look.finding()
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

/** Takes blocks of shared memory, and gives each back; takes a null, and answers the finding. */
const program = (define: string) => `
const { parentPort, workerData } = require('node:worker_threads')
const look = (${define})()(workerData)
parentPort.on('message', (bytes) => {
  if (bytes === null) return parentPort.postMessage({ finding: look.finding() })
  look.push(bytes)
  parentPort.postMessage(null)
})`

class SeenBeside<Finding> implements PassingBytes<Finding> {
  readonly #thread: Worker
  readonly #free: Uint8Array[] = []
  readonly #lent: Uint8Array[] = []
  #block: Uint8Array | undefined
  #filled = 0
  #answer: { finding: Finding } | undefined
  #fault: Error | undefined
  #told: () => void = () => undefined

  constructor({ text }: LookKind<Finding>, names: readonly string[]) {
    const resourceLimits = { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 16 }
    this.#thread = new Worker(program(text), {
      eval: true,
      workerData: names,
      resourceLimits,
      env: {},
      execArgv: [],
    })
    this.#thread.on('message', (answer: { finding: Finding } | null) => {
      if (answer === null) this.#free.push(...this.#lent.splice(0, 1))
      else this.#answer = answer
      this.#told()
    })
    this.#thread.on('error', (err) => this.#fail(err))
    this.#thread.on('exit', (code) => this.#fail(new Error(`the thread that looks at bytes ended with ${code}`)))
  }

  async push(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; ) {
      this.#block ??= await this.#freeBlock()
      const part = bytes.subarray(at, at + blockBytes - this.#filled)
      this.#block.set(part, this.#filled)
      at += part.length
      this.#filled += part.length
      if (this.#filled === blockBytes) this.#lend()
    }
  }

  async finding(): Promise<Finding> {
    this.#lend()
    this.#thread.postMessage(null)
    return (await this.#until(() => this.#answer)).finding
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#thread.terminate()
  }

  #lend(): void {
    if (this.#block === undefined) return
    this.#lent.push(this.#block)
    this.#thread.postMessage(this.#block.subarray(0, this.#filled))
    this.#block = undefined
    this.#filled = 0
  }

  async #freeBlock(): Promise<Uint8Array> {
    if (this.#free.length + this.#lent.length === mostBlocks) return this.#until(() => this.#free.pop())
    return new Uint8Array(new SharedArrayBuffer(blockBytes))
  }

  async #until<T>(find: () => T | undefined): Promise<T> {
    for (;;) {
      const found = find()
      if (found !== undefined) return found
      if (this.#fault !== undefined) throw this.#fault
      await new Promise<void>((resolve) => {
        this.#told = resolve
      })
    }
  }

  #fail(err: unknown): void {
    this.#fault ??= err instanceof Error ? err : new Error('the thread that looks at bytes failed', { cause: err })
    this.#told()
  }
}
