/** Reads what a finished command printed about its errors and counts. */
import type { Counts, Diagnostic } from '../journal/attempt-record.js'
import { redactText } from '../logs/redactor.js'
import { outputLines, readErrors } from '../terraform/output-reading.js'
import { parseEvent } from '../terraform/terraform-event.js'
import type { Attempt } from './attempt.js'
import type { Reading } from './run-command.js'

/** As many go into the journal; the log has them all. */
const mostDiagnostics = 5

/** The errors of the command whose text begins at `from` in `path` (default: the attempt's output), without its secrets. */
export async function readFailure(
  attempt: Attempt,
  from: number,
  path = attempt.parts.layout.output,
): Promise<Reading> {
  const redaction = await attempt.redaction()
  const errors = (await readErrors({ path, from })).slice(0, mostDiagnostics)
  const diagnostics = errors.map(
    (error): Diagnostic => ({
      ...error,
      summary: redactText(redaction, error.summary),
      detail: redactText(redaction, error.detail),
    }),
  )
  return { diagnostics }
}

/** How many resources an apply says it changed; undefined when it did not come to that. */
export async function readCounts(attempt: Attempt, from: number): Promise<Counts | undefined> {
  let counts: Counts | undefined
  const take = (line: Buffer) => {
    if (!line.includes('"type":"change_summary"')) return
    const changes = parseEvent(line.toString())?.changes
    if (changes) counts = { add: changes.add, change: changes.change, destroy: changes.remove }
  }
  for await (const lines of outputLines({ path: attempt.parts.layout.output, from })) lines.forEach(take)
  return counts
}
