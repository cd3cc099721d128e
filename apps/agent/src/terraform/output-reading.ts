/** Questions to the raw output of a command that has ended. */
import { createReadStream } from 'node:fs'
import type { Diagnostic } from '../journal/attempt-record.js'
import { LineSplitter } from './line-splitter.js'
import { parseEvent } from './terraform-event.js'

/** A part of an output file, in bytes. */
export interface OutputRange {
  readonly path: string
  readonly from?: number
  readonly to?: number
}

const mostDiagnostics = 50
const longestDetail = 4096
/** Lines. */
const longestBlock = 500

/** The errors terraform printed, for people or as events; the last 50. Not redacted. */
export async function readErrors(range: OutputRange): Promise<Diagnostic[]> {
  const errors: Diagnostic[] = []
  let block: string[] = []
  const add = (error: Diagnostic | undefined) => {
    if (error !== undefined) errors.push(error)
    if (errors.length > mostDiagnostics) errors.shift()
  }
  const endBlock = (next: string[]) => {
    add(errorOfBlock(block))
    block = next
  }
  for await (const line of lines(range)) {
    const text = line.replace(/^│ ?/, '') // the frame of a terminal with colours
    if (line.startsWith('{"@level"')) add(errorOfEvent(line))
    else if (/^[╷╵]/.test(line)) endBlock([])
    else if (/^(?:Error|Warning): /.test(text)) endBlock([text])
    else if (block.length > 0 && block.length < longestBlock) block.push(text)
  }
  endBlock([])
  return errors
}

/** Terraform was asked to stop and noticed: it prints this at once. */
export async function saysInterruptReceived(range: OutputRange): Promise<boolean> {
  for await (const line of lines(range)) if (line.includes('Interrupt received')) return true
  return false
}

/** Whether a command that skipped init was refused for want of it: terraform names the remedy in the error. */
export function asksForInit(errors: readonly Diagnostic[]): boolean {
  return errors.some(({ summary, detail }) => /\b(?:terraform|tofu)\s+init\b/.test(`${summary}\n${detail}`))
}

async function* lines({ path, from = 0, to }: OutputRange): AsyncGenerator<string> {
  if (to !== undefined && to <= from) return
  const splitter = new LineSplitter()
  const bytes = createReadStream(path, { start: from, ...(to === undefined ? {} : { end: to - 1 }) })
  for await (const chunk of bytes) yield* splitter.push(chunk as Buffer)
  yield* splitter.end()
}

function errorOfEvent(line: string): Diagnostic | undefined {
  if (!line.includes('"diagnostic"')) return undefined
  const diagnostic = parseEvent(line)?.diagnostic
  if (diagnostic?.severity !== 'error') return undefined
  const { summary, detail = '', range } = diagnostic
  return diagnosticOf(summary, detail, range?.filename, range?.start.line)
}

/** `Error: summary`, then perhaps `with …`, `on FILE line N…:` and code, then the detail, with empty lines between. */
function errorOfBlock(block: readonly string[]): Diagnostic | undefined {
  const summary = /^Error: (.*)$/.exec(block[0] ?? '')?.[1]
  if (summary === undefined) return undefined
  const place = block.map((line) => /^\s+on (.+) line (\d+)/.exec(line)).find((match) => match !== null)
  const lastOfPlace = block.findLastIndex((line) => /^\s+(?:with .|on .+ line \d+|\d+: |├─|│ )/.test(line))
  const detail = block.slice(Math.max(lastOfPlace, 0) + 1).join('\n')
  return diagnosticOf(summary, detail, place?.[1], place?.[2] === undefined ? undefined : Number(place[2]))
}

function diagnosticOf(summary: string, detail: string, file?: string, line?: number): Diagnostic {
  return {
    summary,
    detail: detail.trim().slice(0, longestDetail),
    ...(file === undefined ? {} : { file }),
    ...(line === undefined ? {} : { line }),
  }
}
