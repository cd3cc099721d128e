/** Errors in terraform's human output: with `-no-color` it prints them bare, else in a frame. */
import type { Diagnostic } from '../journal/attempt-record.js'

const longestDetail = 4096
/** What belongs to one error; what comes after it in an output that goes on is not kept. */
const mostLines = 200
/** Of one line; terraform prints a message's own lines as long as they are. */
const longestLine = 4096

/** Takes an output line by line; lines of an error are put together until it ends. */
export class PrintedErrors {
  #lines: string[] | undefined

  /** Whether a line that begins or ends nothing is still wanted. */
  get isOpen(): boolean {
    return this.#lines !== undefined && this.#lines.length < mostLines
  }

  /** Answers the error that `line` brings to its end. */
  take(line: string): Diagnostic | undefined {
    const bare = line
      .slice(0, longestLine)
      .replace(/^[╷│] ?/, '')
      .trimEnd()
    const isStart = bare.startsWith('Error: ')
    if (isStart || line.startsWith('╵') || /^Warning: /.test(bare)) {
      const ended = this.end()
      if (isStart) this.#lines = [bare]
      return ended
    }
    if (this.isOpen) this.#lines?.push(bare)
    return undefined
  }

  /** The error that the end of the output ends. */
  end(): Diagnostic | undefined {
    const lines = this.#lines
    this.#lines = undefined
    return lines && readError(lines)
  }
}

/** `Error: summary` (wrapped up to an empty line), then perhaps `with …`, `on FILE line N…:` and code, then the detail. */
function readError(lines: readonly string[]): Diagnostic {
  const endOfSummary = lines.indexOf('')
  const head = endOfSummary === -1 ? lines : lines.slice(0, endOfSummary)
  const body = lines.slice(head.length)
  const place = body.map((line) => /^\s+on (.+) line (\d+)/.exec(line)).find((match) => match !== null)
  const lastOfPlace = body.findLastIndex((line) => /^\s+(?:with .|on .+ line \d+|\d+: |├─|│ )/.test(line))
  const detail = body
    .slice(lastOfPlace + 1)
    .join('\n')
    .trim()
  return {
    summary: head.join(' ').slice('Error: '.length).trim(),
    detail: ownCopy(detail.slice(0, longestDetail)),
    ...(place ? { file: place[1] ?? '', line: Number(place[2]) } : {}),
  }
}

/** A slice keeps the whole text alive that it was cut from: here perhaps megabytes for each error. */
function ownCopy(text: string): string {
  return Buffer.from(text).toString()
}
