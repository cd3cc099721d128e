/** Cuts a byte stream into lines, bounded in memory. */
import { StringDecoder } from 'node:string_decoder'

/** A line longer than this is handed on in pieces: a provisioner may print hundreds of megabytes without a newline. */
export const maxLineLength = 1024 * 1024

export class LineSplitter {
  private readonly decoder = new StringDecoder('utf8')
  private rest = ''

  /** The lines that `chunk` completes, without their newline. */
  push(chunk: Uint8Array): string[] {
    const lines = (this.rest + this.decoder.write(Buffer.from(chunk))).split('\n')
    this.rest = lines.pop() ?? ''
    while (this.rest.length > maxLineLength) {
      lines.push(this.rest.slice(0, maxLineLength))
      this.rest = this.rest.slice(maxLineLength)
    }
    return lines
  }

  /** What is left when the stream has ended. */
  end(): string[] {
    const last = this.rest + this.decoder.end()
    this.rest = ''
    return last === '' ? [] : [last]
  }
}
