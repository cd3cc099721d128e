/** The pump of one attempt's log: follows the raw output and writes its text to the spool, exact across restarts, in bounded memory. */
import { stat } from 'node:fs/promises'
import { type Logger, pause } from '@iac-agent/runtime'
import { isDiskFull } from '../journal/ballast.js'
import { RawOutput } from './raw-output.js'
import type { Redaction } from './redactor.js'
import { type Spool, SpoolFile } from './spool.js'
import { type RenderLine, Transcript, type TranscriptPosition } from './transcript.js'

export interface LogWriterOptions {
  rawPath: string
  spoolPath: string
  checkpointPath: string
  redaction: Redaction
  /** For lines that begin with `{`; absent: all lines pass as they are. */
  render?: RenderLine
  /** Text leaves alone what is free when there is no room for it. Default: there always is. */
  disk?: { readonly hasRoomForText: boolean }
  /** Text is given up, since the disk has no room for it and the run is over: recorded before the spool ends. */
  onTextLost?: () => Promise<void>
  log: Logger
}

/** Raw bytes taken at once; bounds the memory. */
const roundBytes = 512 * 1024
/** Rounds of less than `roundBytes` start at least this far apart, so that chatter costs few fsyncs. */
const roundEveryMs = { watched: 40, unwatched: 200 }
/** Spares each abort an exception with a stack. */
const hastened = 'hastened'
/** Pause after the disk refused the text. */
const diskRetryMs = 1000
/** So often text is tried once nothing is added to the raw output: what could be cleaned away is gone by then. */
const mostTriesAfterEnd = 5

export class LogWriter implements AsyncDisposable {
  readonly #raw: RawOutput
  readonly #spool: SpoolFile
  readonly #transcript: Transcript
  readonly #log: Logger
  readonly #disk: { readonly hasRoomForText: boolean }
  readonly #onTextLost: () => Promise<void>
  readonly #buffer = Buffer.allocUnsafeSlow(roundBytes)
  /** ends the rest between two rounds */
  #rest = new AbortController()

  private constructor(options: LogWriterOptions, spool: SpoolFile, position: TranscriptPosition | undefined) {
    this.#raw = new RawOutput(options.rawPath)
    this.#spool = spool
    this.#transcript = new Transcript(options.redaction, options.render, position)
    this.#log = options.log
    this.#disk = options.disk ?? { hasRoomForText: true }
    this.#onTextLost = options.onTextLost ?? (() => Promise.resolve())
  }

  static async open(options: LogWriterOptions): Promise<LogWriter> {
    const spool = await SpoolFile.open(options.spoolPath, options.checkpointPath)
    return new LogWriter(options, spool, await withinFile(spool.position, options.rawPath))
  }

  get spool(): Spool {
    return this.#spool
  }

  /**
   * Follows the raw file (which may not be there yet) until `closedAt` of its bytes are in the spool, or abort. Never rejects for a
   * full disk: it tries on, and terraform does not notice. When the run is over and there is still no room, the text ends where it is.
   */
  async run(signal: AbortSignal, closedAt: Promise<number>): Promise<void> {
    let end: number | undefined
    const hasten = () => this.hasten()
    void closedAt.then((sizeBytes) => {
      end = sizeBytes
      hasten()
    })
    signal.addEventListener('abort', hasten)
    try {
      while (!(signal.aborted || this.#spool.isEnded)) await this.#round(signal, () => end)
    } finally {
      signal.removeEventListener('abort', hasten)
    }
  }

  /** What is there by now is taken at once: no more comes for a while. */
  hasten(): void {
    this.#rest.abort(hastened)
    this.#rest = new AbortController()
    this.#raw.nudge()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#raw[Symbol.asyncDispose]()
    await this.#spool[Symbol.asyncDispose]()
  }

  async #round(signal: AbortSignal, end: () => number | undefined): Promise<void> {
    const isClosed = end() !== undefined
    const rest = this.#rest.signal // from before the reading: who hastens after it ends the rest
    const bytes = await this.#raw.read(this.#transcript.nextRawOffset, this.#buffer)
    if (bytes.length > 0) {
      const text = this.#transcript.push(bytes)
      if (isClosed && this.#transcript.nextRawOffset === end()) {
        const whole = Buffer.concat([Buffer.from(text), this.#transcript.end()])
        return this.#persist(whole, end, signal, true) // the rest and the end in one
      }
      await this.#persist(text, end, signal)
      const restMs = this.#spool.isWatched ? roundEveryMs.watched : roundEveryMs.unwatched
      const isToRest = bytes.length < roundBytes && end() === undefined && !signal.aborted
      if (isToRest) await pause(restMs, rest)
      return
    }
    if (!isClosed) return this.#raw.change()
    const missing = (end() ?? 0) - this.#transcript.nextRawOffset
    if (missing > 0) this.#log.error({ missing_bytes: missing }, 'raw output is shorter than it was')
    await this.#persist(this.#transcript.end(), end, signal, true)
  }

  async #persist(text: Buffer, end: () => number | undefined, signal: AbortSignal, isLast = false): Promise<void> {
    for (let triesAfterEnd = 0; !signal.aborted; ) {
      try {
        if (!this.#disk.hasRoomForText) throw new NoRoomForText()
        await this.#spool.append(text, this.#transcript.position, isLast)
        return
      } catch (cause) {
        if (end() !== undefined && isNoRoom(cause) && ++triesAfterEnd > mostTriesAfterEnd) return this.#giveUp(signal)
        this.#log.warn({ err: cause }, 'log spool cannot be written, trying again')
        await pause(diskRetryMs, signal)
      }
    }
  }

  /** Ends the spool as it is; the little that this takes has room, or is waited for. */
  async #giveUp(signal: AbortSignal): Promise<void> {
    this.#log.error('no room for the rest of the log, given up')
    while (!(signal.aborted || this.#spool.isEnded)) {
      try {
        await this.#onTextLost()
        await this.#spool.append(Buffer.alloc(0), this.#transcript.position, true)
      } catch (cause) {
        this.#log.warn({ err: cause }, 'end of the log cannot be recorded, trying again')
        await pause(diskRetryMs, signal)
      }
    }
  }
}

/** What is free is kept for states and facts. */
class NoRoomForText extends Error {
  readonly code = 'no_room_for_text'
  constructor() {
    super('the disk has only room for states and facts')
    this.name = 'NoRoomForText'
  }
}

function isNoRoom(cause: unknown): boolean {
  return cause instanceof NoRoomForText || isDiskFull(cause)
}

/** After a power cut the raw file may be shorter than what was read of it; what is appended now is new. */
async function withinFile(
  position: TranscriptPosition | undefined,
  rawPath: string,
): Promise<TranscriptPosition | undefined> {
  if (position === undefined) return undefined
  const size = await stat(rawPath).then(
    (file) => file.size,
    (cause: NodeJS.ErrnoException) => {
      if (cause.code === 'ENOENT') return 0
      throw cause
    },
  )
  return { ...position, rawOffset: Math.min(position.rawOffset, size) }
}
