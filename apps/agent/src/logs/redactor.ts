/** Replaces secrets in a stream of bytes by `[redacted]`, the same however the stream is cut. */
import { type Static, Type } from 'typebox'
import { PatternMatcher } from './pattern-matcher.js'
import { formsOf } from './secret-forms.js'

/** Stands for each run of bytes that belong to secrets. */
export const marker = Buffer.from('[redacted]')

/** A compiled set of secrets. */
export interface Redaction {
  readonly matcher: PatternMatcher
}

/** Compiles the secrets of an attempt; values under 3 bytes are left out. */
export function compileRedaction(values: readonly string[]): Redaction {
  const forms = new Map(values.flatMap(formsOf).map((form) => [form.toString('latin1'), form]))
  return { matcher: new PatternMatcher([...forms.values()]) }
}

/** Hides the secrets of a whole text. */
export function redactText(redaction: Redaction, text: string): string {
  const redactor = new Redactor(redaction)
  return Buffer.concat([redactor.push(Buffer.from(text)), redactor.end()]).toString()
}

/** Chunks of one size differ by this much in what is left of them: memory for them is not made again each time. */
const spareBytes = 16 * 1024

const Range = Type.Object({ from: Type.Integer({ minimum: 0 }), to: Type.Integer({ minimum: 0 }) })
type Range = Static<typeof Range>

/** What a redactor holds back: enough to go on in another process as if nothing had happened. Holds the beginnings of secrets. */
export const RedactorCarry = Type.Object({
  /** bytes that may be the beginning of a secret, base64 */
  held: Type.String(),
  /** parts of `held` already known to belong to secrets, in order */
  covered: Type.Array(Range),
  /** the last byte let go belonged to a secret, so its marker is written */
  isInSecret: Type.Boolean(),
})
export type RedactorCarry = Static<typeof RedactorCarry>

/**
 * A byte is hidden when it lies in any occurrence of any pattern; each run of hidden bytes becomes one marker. A byte is let go as
 * soon as no match to come can begin at or before it, so at most the longest pattern is held.
 */
export class Redactor {
  readonly #matcher: PatternMatcher
  #held: Buffer = Buffer.alloc(0)
  #joined: Buffer = Buffer.alloc(0)
  #out: Buffer = Buffer.alloc(0)
  #covered: Range[] = []
  #isInSecret = false
  #node = 0

  constructor({ matcher }: Redaction, carry?: RedactorCarry) {
    this.#matcher = matcher
    if (carry === undefined) return
    this.#held = Buffer.from(carry.held, 'base64')
    this.#covered = carry.covered.map((range) => ({ ...range }))
    this.#isInSecret = carry.isInSecret
    for (const byte of this.#held) this.#node = matcher.step(this.#node, byte)
  }

  /** What can be let go after `chunk`; may be empty, and may be a view that the next call overwrites. */
  push(chunk: Buffer): Buffer {
    const bytes = this.#held.length === 0 ? chunk : this.#afterHeld(chunk)
    this.#scan(bytes, this.#held.length)
    return this.#collect(this.#letGo(bytes, bytes.length - this.#matcher.depth(this.#node)))
  }

  /** The rest: nothing follows. The redactor is then as new. */
  end(): Buffer {
    const rest = Buffer.concat(this.#letGo(this.#held, this.#held.length))
    this.#isInSecret = false
    this.#node = 0
    return rest
  }

  get carry(): RedactorCarry {
    const covered = this.#covered.map((range) => ({ ...range }))
    return { held: this.#held.toString('base64'), covered, isInSecret: this.#isInSecret }
  }

  /** What is held and `chunk` behind it, in memory that is used again: a long log must not leave a trail of copies. */
  #afterHeld(chunk: Buffer): Buffer {
    const length = this.#held.length + chunk.length
    if (this.#joined.length < length) this.#joined = Buffer.allocUnsafeSlow(chunk.length + this.#matcher.longest)
    this.#held.copy(this.#joined)
    chunk.copy(this.#joined, this.#held.length)
    return this.#joined.subarray(0, length)
  }

  #scan(bytes: Buffer, from: number): void {
    const matcher = this.#matcher
    let node = this.#node
    for (let at = from; at < bytes.length; at++) {
      if (node === 0) {
        at = matcher.skip(bytes, at)
        if (at === bytes.length) break
      }
      node = matcher.step(node, bytes[at] as number)
      const length = matcher.matchLength(node)
      if (length > 0) this.#cover(at + 1 - length, at + 1)
    }
    this.#node = node
  }

  /** Matches come in the order of their ends: a new one can only swallow the newest ranges. */
  #cover(from: number, to: number): void {
    let start = from
    for (let top = this.#covered.at(-1); top !== undefined && top.to >= start; top = this.#covered.at(-1)) {
      start = Math.min(start, top.from)
      this.#covered.pop()
    }
    this.#covered.push({ from: start, to })
  }

  #letGo(bytes: Buffer, end: number): Buffer[] {
    const pieces: Buffer[] = []
    let at = 0
    for (const range of this.#covered) {
      if (range.from >= end) break
      pieces.push(bytes.subarray(at, range.from))
      if (range.from > at || !this.#isInSecret) pieces.push(marker)
      this.#isInSecret = true
      at = Math.min(range.to, end)
    }
    if (at < end) this.#isInSecret = false
    pieces.push(bytes.subarray(at, end))
    this.#covered = this.#covered
      .filter((range) => range.to > end)
      .map((range) => ({ from: Math.max(range.from - end, 0), to: range.to - end }))
    this.#held = Buffer.from(bytes.subarray(end)) // a copy: a view would keep the whole chunk alive
    return pieces
  }

  /** The pieces as one, in memory that is used again. */
  #collect(pieces: readonly Buffer[]): Buffer {
    if (pieces.length === 1) return pieces[0] as Buffer
    const length = pieces.reduce((sum, piece) => sum + piece.length, 0)
    if (this.#out.length < length) this.#out = Buffer.allocUnsafeSlow(length + spareBytes)
    let end = 0
    for (const piece of pieces) end += piece.copy(this.#out, end)
    return this.#out.subarray(0, length)
  }
}
