/** Checks that bytes going by in chunks are one JSON object, keeps a few of its members and hashes them: a state of any size, in constant memory. */
import { defineLook, type Look } from '@iac-agent/runtime'

export interface JsonFinding {
  /** All of it is one whole object. */
  readonly isWholeObject: boolean
  /** The wanted members, wherever they stood, as a JSON object with their values as they were written; of a double key the last. */
  readonly members: string
  /** of all bytes, lower-case hex */
  readonly sha256: string
}

/** Its names: keys of the outermost object whose values are kept when they are strings, numbers or booleans. */
export const jsonCheck = defineLook<JsonFinding>(() => {
  type Expected =
    | 'value'
    /** after `[` */
    | 'value_or_end'
    /** after `{` */
    | 'key_or_end'
    /** after `,` in an object */
    | 'key'
    | 'colon'
    | 'comma_or_end'
    /** after the object; only white space may follow */
    | 'nothing'

  const openObject = 0x7b
  const openArray = 0x5b
  const closeObject = 0x7d
  const quote = 0x22
  const backslash = 0x5c
  const letterU = 0x75
  const escapes = new Set(Buffer.from('"\\/bfnrtu'))
  const scalar = /^(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)$/
  /** Longer numbers, and deeper nesting, are nobody's state. */
  const scalarLimit = 4096
  const depthLimit = 10_000
  /** A longer text is kept of no member. */
  const textLimit = 1024

  /** What a byte is outside of strings; a state has a hundred million of them, so each is looked up once. */
  const [space, stringQuote, opening, closing, comma, colon, other] = [1, 2, 3, 4, 5, 6, 0] as const
  const kinds = kindsOf(
    [' \n\r\t', space],
    ['"', stringQuote],
    ['{[', opening],
    ['}]', closing],
    [',', comma],
    [':', colon],
  )
  /** 1: needs no look inside a string. */
  const isPlain = Uint8Array.from({ length: 256 }, (_, byte) =>
    Number(byte >= 0x20 && byte !== quote && byte !== backslash),
  )

  function kindsOf(...groups: [string, number][]): Uint8Array {
    const table = new Uint8Array(256)
    for (const [bytes, kind] of groups) for (const byte of Buffer.from(bytes)) table[byte] = kind
    return table
  }

  const { createHash } = process.getBuiltinModule('node:crypto')

  class Check implements Look<JsonFinding> {
    readonly #hash = createHash('sha256')
    readonly #containers: number[] = []
    #expected: Expected = 'value'
    #isBroken: boolean = false
    #scalar = ''
    #inString: boolean = false
    /** inside an escape: just after the backslash, or with this many hex digits to come */
    #escape: 'none' | 'begun' | number = 'none'
    /** the raw bytes of a string at the top, key or value; undefined for any other */
    #text: Buffer[] | undefined
    #isKey: boolean = false
    #key = ''
    readonly #members = new Map<string, string>()

    constructor(private readonly wanted: readonly string[]) {}

    push(chunk: Uint8Array): void {
      this.#hash.update(chunk)
      let at = 0
      while (at < chunk.length && !this.#isBroken) {
        at = this.#inString ? this.#walkString(chunk, at) : this.#walkOutside(chunk, at)
      }
    }

    finding(): JsonFinding {
      const members = [...this.#members].map(([key, value]) => `"${key}":${value}`)
      return {
        isWholeObject: this.#expected === 'nothing' && !this.#isBroken,
        members: `{${members.join(',')}}`,
        sha256: this.#hash.digest('hex'),
      }
    }

    /** Goes on into the next string or to the chunk's end; answers the index after what it took. */
    #walkOutside(chunk: Uint8Array, from: number): number {
      const table = kinds
      const end = chunk.length
      for (let at = from; at < end; at++) {
        const kind = table[chunk[at] as number]
        if (kind === other) at = this.#walkScalar(chunk, at) - 1
        else {
          if (this.#scalar !== '') this.#endScalar()
          if (kind === space) {
            while (at + 1 < end && table[chunk[at + 1] as number] === space) at++
            continue
          }
          if (kind === stringQuote) {
            this.#openString()
            return at + 1
          }
          if (kind === comma) this.#comma()
          else if (kind === colon) this.#expect('colon', 'value')
          else if (kind === opening) this.#open(chunk[at] as number)
          else this.#close(chunk[at] === closeObject ? openObject : openArray)
        }
        if (this.#isBroken) return chunk.length
      }
      return chunk.length
    }

    #walkScalar(chunk: Uint8Array, from: number): number {
      let at = from
      while (at < chunk.length && kinds[chunk[at] as number] === other) at++
      if (this.#scalar === '') this.#beginValue()
      const isWhole = this.#scalar === '' && at < chunk.length
      if (isWhole && this.#containers.length > 1 && isInteger(chunk, from, at)) return at
      for (let index = from; index < at && this.#scalar.length <= scalarLimit; index++) {
        this.#scalar += String.fromCharCode(chunk[index] as number)
      }
      if (this.#containers.length === 0 || this.#scalar.length > scalarLimit) this.#isBroken = true
      return at
    }

    /** Goes on behind the closing quote or to the chunk's end; answers the index after what it took. */
    #walkString(chunk: Uint8Array, from: number): number {
      const [plain, end] = [isPlain, chunk.length]
      let at = from
      while (at < end) {
        const byte = chunk[at] as number
        if (this.#escape !== 'none') this.#walkEscape(byte)
        else if (plain[byte] === 1) {
          do at++
          while (at < end && plain[chunk[at] as number] === 1)
          continue
        } else if (byte === quote) {
          this.#inString = false
          this.#keepText(chunk, from, at)
          this.#endText()
          return at + 1
        } else if (byte === backslash) this.#escape = 'begun'
        else this.#isBroken = true // a control character
        at++
      }
      this.#keepText(chunk, from, at)
      return at
    }

    #keepText(chunk: Uint8Array, from: number, to: number): void {
      if (this.#text === undefined) return
      this.#text.push(Buffer.from(chunk.subarray(from, to)))
      const sizeBytes = this.#text.reduce((sum, { length }) => sum + length, 0)
      if (sizeBytes > textLimit) this.#text = undefined
    }

    #endText(): void {
      const text = this.#text === undefined ? undefined : Buffer.concat(this.#text).toString('utf8')
      this.#text = undefined
      if (this.#isKey) this.#key = text ?? ''
      else if (text !== undefined) this.#keepMember(`"${text}"`)
    }

    #keepMember(value: string): void {
      if (this.#containers.length === 1 && this.wanted.includes(this.#key)) this.#members.set(this.#key, value)
    }

    #walkEscape(byte: number): void {
      if (this.#escape === 'begun') {
        if (!escapes.has(byte)) this.#isBroken = true
        this.#escape = byte === letterU ? 4 : 'none'
      } else if (typeof this.#escape === 'number') {
        if (!/[0-9a-fA-F]/.test(String.fromCharCode(byte))) this.#isBroken = true
        this.#escape = this.#escape === 1 ? 'none' : this.#escape - 1
      }
    }

    #openString(): void {
      this.#inString = true
      this.#text = this.#containers.length === 1 ? [] : undefined
      this.#isKey = this.#text !== undefined && (this.#expected === 'key' || this.#expected === 'key_or_end')
      if (this.#expected === 'key' || this.#expected === 'key_or_end') this.#expected = 'colon'
      else this.#beginValue()
    }

    #open(byte: number): void {
      const isOutermost = this.#containers.length === 0
      if ((isOutermost && byte !== openObject) || this.#containers.length >= depthLimit) this.#isBroken = true
      this.#beginValue()
      this.#containers.push(byte)
      this.#expected = byte === openObject ? 'key_or_end' : 'value_or_end'
    }

    #close(opened: number): void {
      const isEmpty = this.#expected === (opened === openObject ? 'key_or_end' : 'value_or_end')
      if (this.#containers.pop() !== opened || !(isEmpty || this.#expected === 'comma_or_end')) this.#isBroken = true
      this.#expected = this.#containers.length === 0 ? 'nothing' : 'comma_or_end'
    }

    #comma(): void {
      this.#expect('comma_or_end', this.#containers.at(-1) === openObject ? 'key' : 'value')
    }

    #endScalar(): void {
      if (!scalar.test(this.#scalar)) this.#isBroken = true
      this.#keepMember(this.#scalar)
      this.#scalar = ''
    }

    #beginValue(): void {
      if (this.#scalar !== '' || (this.#expected !== 'value' && this.#expected !== 'value_or_end'))
        this.#isBroken = true
      this.#expected = 'comma_or_end'
    }

    #expect(now: Expected, next: Expected): void {
      if (this.#scalar !== '' || this.#expected !== now) this.#isBroken = true
      this.#expected = next
    }
  }

  /** Most numbers of a state are; they need no second look. */
  function isInteger(chunk: Uint8Array, from: number, to: number): boolean {
    if ((chunk[from] === 0x30 && to - from > 1) || to - from > scalarLimit) return false
    for (let at = from; at < to; at++) if ((chunk[at] as number) < 0x30 || (chunk[at] as number) > 0x39) return false
    return true
  }

  return (wanted) => new Check(wanted)
})
