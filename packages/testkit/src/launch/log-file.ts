/** A log file that a child is still writing, read as far as it goes. A file, so that the child may outlive its reader. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { StringDecoder } from 'node:string_decoder'

/** One record of a program's JSON log. */
export type LogLine = { msg?: string; level?: string } & Record<string, unknown>

/** What is written from now on; each look reads what is new. */
export class LogFile {
  readonly #descriptor: number
  readonly #decoder = new StringDecoder('utf8')
  readonly #buffer = Buffer.alloc(64 * 1024)
  readonly #records: LogLine[] = []
  #position: number
  #text = ''
  #unfinished = ''

  constructor(path: string) {
    this.#descriptor = openSync(path, 'r')
    this.#position = fstatSync(this.#descriptor).size
  }

  /** All that was written, records or not. */
  get text(): string {
    this.#read()
    return this.#text
  }

  /** The lines that are JSON records. */
  get records(): readonly LogLine[] {
    this.#read()
    return this.#records
  }

  /** The last lines, for an error message. */
  tail(lines = 30): string {
    return this.text.trimEnd().split('\n').slice(-lines).join('\n')
  }

  close(): void {
    this.#read()
    closeSync(this.#descriptor)
    this.#position = Number.POSITIVE_INFINITY
  }

  #read(): void {
    while (Number.isFinite(this.#position)) {
      const size = readSync(this.#descriptor, this.#buffer, 0, this.#buffer.length, this.#position)
      if (size === 0) return
      this.#position += size
      this.#take(this.#decoder.write(this.#buffer.subarray(0, size)))
    }
  }

  #take(text: string): void {
    this.#text += text
    const lines = (this.#unfinished + text).split('\n')
    this.#unfinished = lines.pop() ?? ''
    for (const line of lines) if (line.startsWith('{')) this.#records.push(recordOf(line))
  }
}

/** A line cut off by a kill is kept as a message. */
function recordOf(line: string): LogLine {
  try {
    return JSON.parse(line) as LogLine
  } catch {
    return { msg: line }
  }
}
