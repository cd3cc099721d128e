/** Questions to the raw output of a command that has ended. */
import { open } from 'node:fs/promises'
import type { Diagnostic } from '../journal/attempt-record.js'
import { LineSplitter } from './line-splitter.js'
import { PrintedErrors } from './printed-errors.js'
import { parseEvent } from './terraform-event.js'

/** A part of an output file, in bytes. */
export interface OutputRange {
  readonly path: string
  readonly from?: number
  readonly to?: number
}

const mostDiagnostics = 50
const longestDetail = 4096
const readBytes = 256 * 1024
const openingBrace = 0x7b
/** First bytes of what begins or ends an error: `Error`, `Warning`, and the frame's `╷`, `│`, `╵`. */
const startsOfNews = [0x45, 0x57, 0xe2]

/** The errors terraform printed, for people or as events; the last 50. Not redacted. */
export async function readErrors(range: OutputRange): Promise<Diagnostic[]> {
  const errors: Diagnostic[] = []
  const printed = new PrintedErrors()
  const add = (error: Diagnostic | undefined) => {
    if (error !== undefined) errors.push(error)
    if (errors.length > mostDiagnostics) errors.shift()
  }
  const take = (line: Buffer) => {
    if (line[0] === openingBrace) add(errorOfEvent(line))
    else if (printed.isOpen || startsOfNews.includes(line[0] ?? 0)) add(printed.take(line.toString()))
  }
  for await (const lines of outputLines(range)) lines.forEach(take)
  add(printed.end())
  return errors
}

/** Terraform was asked to stop and noticed: it prints this at once. */
export async function saysInterruptReceived(range: OutputRange): Promise<boolean> {
  for await (const lines of outputLines(range)) {
    if (lines.some((line) => line.includes('Interrupt received'))) return true
  }
  return false
}

/** Whether a command that skipped init was refused for want of it: terraform names the remedy in the error. */
export function asksForInit(errors: readonly Diagnostic[]): boolean {
  return errors.some(({ summary, detail }) => /\b(?:terraform|tofu)\s+init\b/.test(`${summary}\n${detail}`))
}

/** The lines of a part of a file, as many at once as one read brings; views that the next read overwrites. */
export async function* outputLines({
  path,
  from = 0,
  to = Number.POSITIVE_INFINITY,
}: OutputRange): AsyncGenerator<Buffer[]> {
  const splitter = new LineSplitter()
  const buffer = Buffer.allocUnsafeSlow(readBytes)
  const file = await open(path, 'r')
  try {
    for (let at = from; at < to; ) {
      const { bytesRead } = await file.read(buffer, 0, Math.min(readBytes, to - at), at)
      if (bytesRead === 0) break
      yield splitter.push(buffer.subarray(0, bytesRead))
      at += bytesRead
    }
    yield splitter.end()
  } finally {
    await file.close()
  }
}

function errorOfEvent(line: Buffer): Diagnostic | undefined {
  if (!line.includes('"diagnostic"')) return undefined
  const diagnostic = parseEvent(line.toString())?.diagnostic
  if (diagnostic?.severity !== 'error') return undefined
  const { summary, detail = '', range } = diagnostic
  return diagnosticOf(summary, detail, range?.filename, range?.start.line)
}

function diagnosticOf(summary: string, detail: string, file?: string, line?: number): Diagnostic {
  return {
    summary,
    detail: detail.trim().slice(0, longestDetail),
    ...(file === undefined ? {} : { file }),
    ...(line === undefined ? {} : { line }),
  }
}
