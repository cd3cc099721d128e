/** Cuts a byte stream into lines, bounded in memory. As bytes: most of a large output is looked at and never made into text. */

/** A line longer than this is handed on in pieces: a provisioner may print hundreds of megabytes without a newline. */
export const maxLineLength = 1024 * 1024

const newline = 0x0a

export class LineSplitter {
  #rest: Buffer = Buffer.alloc(0)
  #joined: Buffer = Buffer.alloc(0)

  /** The lines that `chunk` completes, without their newline: views of it, or of what the next call overwrites; what is kept is a copy. */
  push(chunk: Buffer): Buffer[] {
    const bytes = this.#rest.length === 0 ? chunk : this.#afterRest(chunk)
    const lines: Buffer[] = []
    let at = 0
    for (let end = bytes.indexOf(newline); end !== -1; end = bytes.indexOf(newline, at)) {
      lines.push(bytes.subarray(at, end))
      at = end + 1
    }
    for (; bytes.length - at > maxLineLength; at += maxLineLength) lines.push(bytes.subarray(at, at + maxLineLength))
    this.#rest = Buffer.from(bytes.subarray(at))
    return lines
  }

  /** What is left and `chunk` behind it, in memory that is used again: a long output must not leave a trail of copies. */
  #afterRest(chunk: Buffer): Buffer {
    const length = this.#rest.length + chunk.length
    if (this.#joined.length < length) this.#joined = Buffer.allocUnsafeSlow(2 * length)
    this.#rest.copy(this.#joined)
    chunk.copy(this.#joined, this.#rest.length)
    return this.#joined.subarray(0, length)
  }

  /** What is left when the stream has ended. */
  end(): Buffer[] {
    const last = this.#rest
    this.#rest = Buffer.alloc(0)
    return last.length === 0 ? [] : [last]
  }
}
