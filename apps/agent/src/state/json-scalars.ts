/** Walks JSON text that comes in pieces and tells of the scalars near its top: a large state is never held, nor parsed as a whole. */

/** The keys and indexes that lead to a value. */
export type JsonPath = readonly (string | number)[]

export interface ScalarSink {
  /** Deeper values are passed over without a question. */
  readonly deepest: number
  /** Whether the value at `path` is wanted; its text is kept only then. */
  wants(path: JsonPath): boolean
  /** `path` changes with the next value. */
  take(path: JsonPath, value: unknown): void
}

const [quote, backslash, comma, colon] = [0x22, 0x5c, 0x2c, 0x3a]
const [openObject, closeObject, openArray, closeArray] = [0x7b, 0x7d, 0x5b, 0x5d]
const lastSpace = 0x20

/** Throws SyntaxError for a text or a number that is none; does not find every other fault. */
export class JsonScalars {
  readonly #path: (string | number)[] = []
  /** Of the open containers down to `deepest`: objects, not arrays. */
  readonly #isObject: boolean[] = []
  #depth = 0
  #isKeyNext = false
  #isInString = false
  #isEscaped = false
  #isBare = false
  /** Text of the string or bare word under way; undefined when nobody wants it. */
  #kept: Buffer[] | undefined

  constructor(private readonly sink: ScalarSink) {}

  push(chunk: Buffer): void {
    let at = 0
    while (at < chunk.length) at = this.#isInString ? this.#string(chunk, at) : this.#outside(chunk, at)
  }

  #string(chunk: Buffer, from: number): number {
    for (let at = from; at < chunk.length; at++) {
      const byte = chunk[at]
      if (this.#isEscaped) this.#isEscaped = false
      else if (byte === backslash) this.#isEscaped = true
      else if (byte === quote) {
        this.#keep(chunk, from, at)
        this.#endString()
        return at + 1
      }
    }
    this.#keep(chunk, from, chunk.length)
    return chunk.length
  }

  /** Up to the next string, or the end of the chunk. */
  #outside(chunk: Buffer, from: number): number {
    for (let at = from; at < chunk.length; at++) {
      const byte = chunk[at] as number
      if (byte <= lastSpace) this.#endBare()
      else if (byte === quote) {
        this.#beginString()
        return at + 1
      } else if (byte === comma) this.#next()
      else if (byte === colon) this.#isKeyNext = false
      else if (byte === openObject || byte === openArray) this.#open(byte === openObject)
      else if (byte === closeObject || byte === closeArray) this.#close()
      else {
        if (!this.#isBare) this.#beginValue()
        this.#isBare = true
        this.#keep(chunk, at, at + 1)
      }
    }
    return chunk.length
  }

  #open(isObject: boolean): void {
    this.#depth++
    this.#isKeyNext = isObject
    if (this.#depth > this.sink.deepest) return
    this.#isObject.push(isObject)
    this.#path.push(isObject ? '' : 0)
  }

  #close(): void {
    this.#endBare()
    this.#isKeyNext = false
    if (this.#depth <= this.sink.deepest) {
      this.#isObject.pop()
      this.#path.pop()
    }
    this.#depth--
  }

  #next(): void {
    this.#endBare()
    if (this.#depth > this.sink.deepest) return
    this.#isKeyNext = this.#isObject.at(-1) === true
    const last = this.#path.at(-1)
    if (typeof last === 'number') this.#path[this.#path.length - 1] = last + 1
  }

  #beginString(): void {
    this.#isInString = true
    if (this.#isKeyNext) this.#kept = this.#depth > this.sink.deepest ? undefined : []
    else this.#beginValue()
  }

  #beginValue(): void {
    this.#kept = this.#depth <= this.sink.deepest && this.sink.wants(this.#path) ? [] : undefined
  }

  #endString(): void {
    this.#isInString = false
    const text = this.#taken()
    if (text === undefined) return
    const value = JSON.parse(`"${text}"`) as string
    if (this.#isKeyNext) this.#path[this.#path.length - 1] = value
    else this.sink.take(this.#path, value)
  }

  #endBare(): void {
    if (!this.#isBare) return
    this.#isBare = false
    const text = this.#taken()
    if (text !== undefined) this.sink.take(this.#path, JSON.parse(text))
  }

  #keep(chunk: Buffer, from: number, to: number): void {
    this.#kept?.push(Buffer.from(chunk.subarray(from, to)))
  }

  #taken(): string | undefined {
    const text = this.#kept && Buffer.concat(this.#kept).toString()
    this.#kept = undefined
    return text
  }
}
