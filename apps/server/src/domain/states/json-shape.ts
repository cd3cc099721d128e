/** Watches a JSON object go by in chunks: tells at the end whether it was whole. No parse, no memory. */

const quote = 0x22
const backslash = 0x5c

export class JsonShape {
  #depth = 0
  #inString: boolean = false
  #isEscaped: boolean = false
  #hasBegun: boolean = false
  #hasEnded: boolean = false
  #isBroken: boolean = false

  push(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at] as number
      if (this.#inString) at = this.#walkString(chunk, at)
      else if (byte === quote) this.#openString()
      else if (byte === 0x7b || byte === 0x5b) this.#open(byte)
      else if (byte === 0x7d || byte === 0x5d) this.#close()
      else if (this.#depth === 0 && byte > 0x20 && byte !== 0xef && byte !== 0xbb && byte !== 0xbf)
        this.#isBroken = true
    }
  }

  /** One object, closed, with nothing but white space (or a byte order mark) around it. */
  get isWholeObject(): boolean {
    return this.#hasEnded && !this.#isBroken
  }

  /** Goes on to the string's closing quote or the chunk's end; answers the last index it took. */
  #walkString(chunk: Uint8Array, from: number): number {
    for (let at = from; at < chunk.length; at++) {
      const byte = chunk[at]
      if (this.#isEscaped) this.#isEscaped = false
      else if (byte === backslash) this.#isEscaped = true
      else if (byte === quote) {
        this.#inString = false
        return at
      }
    }
    return chunk.length
  }

  #openString(): void {
    if (this.#depth === 0) this.#isBroken = true
    this.#inString = true
  }

  #open(byte: number): void {
    if (this.#depth === 0) {
      if (this.#hasBegun || byte !== 0x7b) this.#isBroken = true
      this.#hasBegun = true
    }
    this.#depth++
  }

  #close(): void {
    this.#depth--
    if (this.#depth === 0) this.#hasEnded = true
    if (this.#depth < 0) this.#isBroken = true
  }
}
