/** Reads counts and errors off the events an apply printed, without holding its output in memory. */
import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import type { Counts, Diagnostic } from '../journal/attempt-record.js'
import { parseEvent } from '../terraform/json-events.js'
import type { Attempt } from './attempt.js'
import { redacted } from './read-failure.js'
import type { Reading } from './run-command.js'

const maxDiagnostics = 5

/** `outputOffset`: where the apply's text begins in the attempt's output. */
export async function readApplyEnd(attempt: Attempt, outputOffset: number): Promise<Reading> {
  let counts: Counts | undefined
  const diagnostics: Diagnostic[] = []
  const input = createReadStream(attempt.parts.layout.output, { start: outputOffset })
  for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    if (!line.includes('"type":"change_summary"') && !line.includes('"type":"diagnostic"')) continue
    const event = parseEvent(line)
    if (event?.type === 'change_summary') {
      const { add, change, remove } = event.changes
      counts = { add, change, destroy: remove }
    }
    if (event?.type === 'diagnostic' && event.diagnostic.severity === 'error' && diagnostics.length < maxDiagnostics) {
      const { summary, detail = '', range } = event.diagnostic
      diagnostics.push({ summary, detail, ...(range ? { file: range.filename, line: range.start.line } : {}) })
    }
  }
  return {
    ...(counts ? { counts } : {}),
    ...(diagnostics.length > 0 ? { diagnostics: await redacted(attempt, diagnostics) } : {}),
  }
}
