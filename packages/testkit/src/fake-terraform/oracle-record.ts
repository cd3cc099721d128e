/** What the fake terraform notes about itself, apart from all it prints and sends: the truth that a run is judged by. */
import { readFile } from 'node:fs/promises'

/** The commands that leave records; `show` and `version` do nothing that could go wrong. */
export type FakeCommand = 'init' | 'plan' | 'apply'

/** Of one process; its begin is the first and its end the last record, unless it was killed. */
export type OracleRecord = {
  /** Epoch milliseconds. */
  at: number
  pid: number
  /** `<task>-<attempt>`, by the directory its output or its plan is in; empty when that cannot be told. */
  attempt: string
} & (
  | { kind: 'begin'; workspace: string; command: FakeCommand }
  | { kind: 'end'; code: number }
  /** Written before it is printed. `text`: what the task's log must show of this write, newlines and all. */
  | { kind: 'line'; text: string }
  /** So many bytes of the last `line`, its end, could not be written. */
  | { kind: 'lost'; bytes: number }
  /** A state the backend has acknowledged. */
  | { kind: 'posted'; serial: number; sha256: string }
  /** Made (or destroyed, then without an id) and in an acknowledged state; written before it is printed. */
  | { kind: 'complete'; address: string; id?: string }
  | { kind: 'interrupt' }
)

/** All records so far, in the order they were written; none when nobody has written one. */
export async function readOracle(file: string): Promise<OracleRecord[]> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw cause
  }
  const whole = text.slice(0, text.lastIndexOf('\n') + 1)
  return whole.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as OracleRecord]))
}

/** What the log of an attempt must be, unless output was lost, or its last process killed while printing the last record. */
export function printedText(records: readonly OracleRecord[], attempt: string): string {
  return records.map((record) => (record.kind === 'line' && record.attempt === attempt ? record.text : '')).join('')
}
