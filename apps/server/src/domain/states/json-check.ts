/** Checks that bytes going by in chunks are one JSON object, and keeps a few of its members: a state of any size, in constant memory. */

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

const code = { quote: 0x22, comma: 0x2c, colon: 0x3a, backslash: 0x5c, u: 0x75 } as const
const openObject = 0x7b
const openArray = 0x5b
const closeObject = 0x7d
const closeArray = 0x5d
const escapes = new Set(Buffer.from('"\\/bfnrtu'))
const scalar = /^(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)$/
/** Longer numbers, and deeper nesting, are nobody's state. */
const scalarLimit = 4096
const depthLimit = 10_000
/** A longer text is kept of no member. */
const textLimit = 1024

export class JsonCheck {
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

  /** @param wanted keys of the outermost object whose values are kept when they are strings, numbers or booleans */
  constructor(private readonly wanted: ReadonlySet<string> = new Set()) {}

  push(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length && !this.#isBroken; at++) {
      if (this.#inString) at = this.#walkString(chunk, at)
      else this.#take(chunk[at] as number)
    }
  }

  /** Everything pushed so far is one whole object. */
  get isWholeObject(): boolean {
    return this.#expected === 'nothing' && !this.#isBroken
  }

  /** The wanted members, wherever they stood, as a JSON object with their values as they were written; of a double key the last. */
  get members(): string {
    return `{${[...this.#members].map(([key, value]) => `"${key}":${value}`).join(',')}}`
  }

  #take(byte: number): void {
    const isSpace = byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09
    const isPunctuation = byte === code.comma || byte === closeObject || byte === closeArray
    if (this.#scalar !== '' && (isSpace || isPunctuation)) this.#endScalar()
    if (isSpace) return
    if (byte === code.quote) this.#openString()
    else if (byte === openObject || byte === openArray) this.#open(byte)
    else if (byte === closeObject || byte === closeArray) this.#close(byte === closeObject ? openObject : openArray)
    else if (byte === code.comma) this.#comma()
    else if (byte === code.colon) this.#expect('colon', 'value')
    else this.#addToScalar(byte)
  }

  /** Goes on to the closing quote or the chunk's end; answers the last index it took. */
  #walkString(chunk: Uint8Array, from: number): number {
    for (let at = from; at < chunk.length; at++) {
      const byte = chunk[at] as number
      if (this.#escape !== 'none') this.#walkEscape(byte)
      else if (byte === code.quote) {
        this.#inString = false
        this.#keepText(chunk.subarray(from, at))
        this.#endText()
        return at
      } else if (byte === code.backslash) this.#escape = 'begun'
      else if (byte < 0x20) this.#isBroken = true
    }
    this.#keepText(chunk.subarray(from))
    return chunk.length
  }

  #keepText(bytes: Uint8Array): void {
    if (this.#text === undefined) return
    this.#text.push(Buffer.from(bytes))
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
    if (this.#containers.length === 1 && this.wanted.has(this.#key)) this.#members.set(this.#key, value)
  }

  #walkEscape(byte: number): void {
    if (this.#escape === 'begun') {
      if (!escapes.has(byte)) this.#isBroken = true
      this.#escape = byte === code.u ? 4 : 'none'
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

  #addToScalar(byte: number): void {
    if (this.#scalar === '') this.#beginValue()
    this.#scalar += String.fromCharCode(byte)
    if (this.#containers.length === 0 || this.#scalar.length > scalarLimit) this.#isBroken = true
  }

  #endScalar(): void {
    if (!scalar.test(this.#scalar)) this.#isBroken = true
    this.#keepMember(this.#scalar)
    this.#scalar = ''
  }

  #beginValue(): void {
    if (this.#scalar !== '' || (this.#expected !== 'value' && this.#expected !== 'value_or_end')) this.#isBroken = true
    this.#expected = 'comma_or_end'
  }

  #expect(now: Expected, next: Expected): void {
    if (this.#scalar !== '' || this.#expected !== now) this.#isBroken = true
    this.#expected = next
  }
}
