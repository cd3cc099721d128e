/** Raw output -> rendered, redacted text: pure and streaming, the same text however the raw bytes are cut. */
import { type Static, Type } from 'typebox'
import { type Redaction, Redactor, RedactorCarry } from './redactor.js'

/**
 * Renders one line that begins with `{` (without its newline) for people; `at` is the raw offset of its first byte. Undefined: not an
 * event, the line passes as it is. An empty text drops the line; any other ends in a newline, given or not. `isCut`: these are only
 * the first `longestEventBytes` of the line, and the answer goes for all of it.
 */
export type RenderLine = (line: string, at: number, isCut: boolean) => string | undefined

/** Where a transcript is: enough to go on from there with the same text. */
export const TranscriptPosition = Type.Object({
  /** raw bytes whose text is let go or held in `redactor` */
  rawOffset: Type.Integer({ minimum: 0 }),
  /** the next raw byte continues a line that passes as it is */
  isMidLine: Type.Boolean(),
  /** the next raw byte continues a line whose text is told: the rest of it is dropped */
  isDropping: Type.Optional(Type.Boolean()),
  redactor: RedactorCarry,
})
export type TranscriptPosition = Static<typeof TranscriptPosition>

/** Of a longer line only this much is kept for the renderer. Bounds the memory. Bytes. */
export const longestEventBytes = 2 * 1024 * 1024

const newline = 0x0a
const brace = 0x7b

export class Transcript {
  readonly #redactor: Redactor
  readonly #render: RenderLine | undefined
  #rawOffset: number
  #isMidLine: boolean
  #isDropping: boolean
  /** The beginning of a line that may be an event; starts at #rawOffset. */
  #line: Buffer[] = []
  #lineBytes = 0

  constructor(redaction: Redaction, render?: RenderLine, from?: TranscriptPosition) {
    this.#redactor = new Redactor(redaction, from?.redactor)
    this.#render = render
    this.#rawOffset = from?.rawOffset ?? 0
    this.#isMidLine = from?.isMidLine ?? false
    this.#isDropping = from?.isDropping ?? false
  }

  /** Raw bytes wanted next: those before are not asked for again in this process. */
  get nextRawOffset(): number {
    return this.#rawOffset + this.#lineBytes
  }

  get position(): TranscriptPosition {
    return {
      rawOffset: this.#rawOffset,
      isMidLine: this.#isMidLine,
      ...(this.#isDropping ? { isDropping: true } : {}),
      redactor: this.#redactor.carry,
    }
  }

  /** The text that is certain after `raw`, the bytes at `nextRawOffset`. May be a view that the next call overwrites. */
  push(raw: Buffer): Buffer {
    if (this.#render === undefined) return this.#redactor.push(this.#pass(raw))
    const text: Buffer[] = []
    let at = 0
    while (at < raw.length) {
      const end = raw.indexOf(newline, at) + 1 || raw.length
      text.push(this.#pushPart(raw.subarray(at, end)))
      at = end
    }
    return this.#redactor.push(join(text))
  }

  /** The rest of the text: no raw byte follows. */
  end(): Buffer {
    return join([this.#redactor.push(this.#endLine()), this.#redactor.end()])
  }

  /** The text of `part`, which holds at most one newline, at its end; secrets are still in it. */
  #pushPart(part: Buffer): Buffer {
    const isEnd = part.at(-1) === newline
    if (this.#isDropping) {
      this.#isDropping = !isEnd
      return this.#drop(part)
    }
    if (this.#lineBytes === 0 && (this.#isMidLine || part[0] !== brace)) {
      this.#isMidLine = !isEnd
      return this.#pass(part)
    }
    this.#line.push(Buffer.from(part))
    this.#lineBytes += part.length
    if (this.#lineBytes > longestEventBytes) return this.#cutLine(isEnd)
    return isEnd ? this.#endLine() : empty
  }

  /** The line is too long to be kept: what is told of it is decided by its beginning. */
  #cutLine(isEnd: boolean): Buffer {
    const at = this.#rawOffset
    const line = this.#takeLine()
    const rendered = this.#render?.(line.toString('utf8', 0, longestEventBytes), at, true)
    if (rendered === undefined) {
      this.#isMidLine = !isEnd
      return this.#pass(line)
    }
    this.#isDropping = !isEnd
    this.#drop(line)
    return textOf(rendered)
  }

  #endLine(): Buffer {
    if (this.#lineBytes === 0) return empty
    const at = this.#rawOffset
    const line = this.#takeLine()
    const rendered = this.#render?.(
      line.toString('utf8', 0, line.at(-1) === newline ? line.length - 1 : line.length),
      at,
      false,
    )
    if (rendered === undefined) return this.#pass(line)
    this.#drop(line)
    return textOf(rendered)
  }

  #takeLine(): Buffer {
    const line = join(this.#line)
    this.#line = []
    this.#lineBytes = 0
    return line
  }

  #pass(raw: Buffer): Buffer {
    this.#rawOffset += raw.length
    return raw
  }

  #drop(raw: Buffer): Buffer {
    this.#rawOffset += raw.length
    return empty
  }
}

const empty = Buffer.alloc(0)

function textOf(rendered: string): Buffer {
  return Buffer.from(rendered === '' || rendered.endsWith('\n') ? rendered : `${rendered}\n`)
}

function join(parts: readonly Buffer[]): Buffer {
  return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts)
}
