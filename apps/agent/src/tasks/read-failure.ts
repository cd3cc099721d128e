/** Reads terraform's errors off the end of what a failed command printed. */
import { open } from 'node:fs/promises'
import type { Diagnostic } from '../journal/attempt-record.js'
import { redactText } from '../logs/redactor.js'
import type { Attempt } from './attempt.js'
import { readDiagnostics } from './diagnostics.js'
import type { Reading } from './run-command.js'

/** Errors are the last thing terraform prints. */
const tailBytes = 256 * 1024

/** The errors of the command whose text begins at `outputOffset` of the attempt's output; redacted. */
export function readFailure(attempt: Attempt, outputOffset: number): Promise<Reading> {
  return readFailureIn(attempt, attempt.parts.layout.output, outputOffset)
}

/** The same for the file `path`. */
export async function readFailureIn(attempt: Attempt, path: string, fromOffset: number): Promise<Reading> {
  return { diagnostics: await redacted(attempt, readDiagnostics(await readTail(path, fromOffset))) }
}

/** Diagnostics without the attempt's secrets. */
export async function redacted(attempt: Attempt, diagnostics: Diagnostic[]): Promise<Diagnostic[]> {
  const redaction = await attempt.redaction()
  return diagnostics.map((each) => ({
    ...each,
    summary: redactText(redaction, each.summary),
    detail: redactText(redaction, each.detail),
  }))
}

async function readTail(path: string, fromOffset: number): Promise<string> {
  await using file = await open(path, 'r')
  const { size } = await file.stat()
  const start = Math.max(fromOffset, size - tailBytes)
  const bytes = Buffer.alloc(Math.max(0, size - start))
  const { bytesRead } = await file.read(bytes, 0, bytes.length, start)
  return bytes.subarray(0, bytesRead).toString('utf8')
}
