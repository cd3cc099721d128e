/** The pump of one attempt's log: follows the raw output and writes its text to the spool, exact across restarts, in bounded memory. */
import { type Logger, pause } from '@iac-agent/runtime'
import { RawOutput } from './raw-output.js'
import type { Redaction } from './redactor.js'
import { type Spool, SpoolFile } from './spool.js'
import { type RenderLine, Transcript } from './transcript.js'

export interface LogWriterOptions {
  rawPath: string
  spoolPath: string
  checkpointPath: string
  redaction: Redaction
  /** For lines that begin with `{`; absent: all lines pass as they are. */
  render?: RenderLine
  log: Logger
}

/** Raw bytes taken at once; bounds the memory. */
const roundBytes = 512 * 1024
/** Rounds of less than `roundBytes` start at least this far apart, so that chatter costs few fsyncs. */
const roundEveryMs = 40
/** Pause after the disk refused the text. */
const diskRetryMs = 1000

export class LogWriter implements AsyncDisposable {
  readonly #raw: RawOutput
  readonly #spool: SpoolFile
  readonly #transcript: Transcript
  readonly #log: Logger
  readonly #buffer = Buffer.allocUnsafeSlow(roundBytes)

  private constructor(options: LogWriterOptions, spool: SpoolFile) {
    this.#raw = new RawOutput(options.rawPath)
    this.#spool = spool
    this.#transcript = new Transcript(options.redaction, options.render, spool.position)
    this.#log = options.log
  }

  static async open(options: LogWriterOptions): Promise<LogWriter> {
    return new LogWriter(options, await SpoolFile.open(options.spoolPath, options.checkpointPath))
  }

  get spool(): Spool {
    return this.#spool
  }

  /**
   * Follows the raw file (which may not be there yet) until `closedAt` of its bytes are in the spool, or abort. Never rejects for a
   * full disk: it tries on, and terraform does not notice.
   */
  async run(signal: AbortSignal, closedAt: Promise<number>): Promise<void> {
    let end: number | undefined
    void closedAt.then((sizeBytes) => {
      end = sizeBytes
      this.#raw.nudge()
    })
    const stop = () => this.#raw.nudge()
    signal.addEventListener('abort', stop)
    try {
      while (!(signal.aborted || this.#spool.isEnded)) await this.#round(signal, () => end)
    } finally {
      signal.removeEventListener('abort', stop)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#raw[Symbol.asyncDispose]()
    await this.#spool[Symbol.asyncDispose]()
  }

  async #round(signal: AbortSignal, end: () => number | undefined): Promise<void> {
    const isClosed = end() !== undefined
    const bytes = await this.#raw.read(this.#transcript.nextRawOffset, this.#buffer)
    if (bytes.length > 0) {
      const text = this.#transcript.push(bytes)
      await this.#persist(text, false, signal)
      if (bytes.length < roundBytes && !isClosed) await pause(roundEveryMs, signal)
      return
    }
    if (!isClosed) return this.#raw.change()
    const missing = (end() ?? 0) - this.#transcript.nextRawOffset
    if (missing > 0) this.#log.error({ missing_bytes: missing }, 'raw output is shorter than it was')
    await this.#persist(this.#transcript.end(), true, signal)
  }

  async #persist(text: Buffer, isEnded: boolean, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#raw.sync()
        await this.#spool.append(text, this.#transcript.position, isEnded)
        return
      } catch (cause) {
        this.#log.warn({ err: cause }, 'log spool cannot be written, trying again')
        await pause(diskRetryMs, signal)
      }
    }
  }
}
