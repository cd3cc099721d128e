/** Appends the records of one process; a record is one write, so that processes share the file and a kill leaves it whole. */
import { openSync, readlinkSync, writeSync } from 'node:fs'
import type { OracleRecord } from './oracle-record.js'

type Common = 'at' | 'pid' | 'attempt'
/** A record without what all have in common. */
export type OracleEntry = OracleRecord extends infer R ? (R extends OracleRecord ? Omit<R, Common> : never) : never

export class Oracle {
  readonly #file: number
  readonly #attempt: string

  constructor(path: string, argv: readonly string[]) {
    this.#file = openSync(path, 'a', 0o600)
    this.#attempt = attemptIn([readlinkSync('/proc/self/fd/1'), ...argv])
  }

  note(entry: OracleEntry): void {
    const record = { at: Date.now(), pid: process.pid, attempt: this.#attempt, ...entry }
    writeSync(this.#file, `${JSON.stringify(record)}\n`)
  }
}

/** The agent keeps the output and the plan of an attempt in `attempts/<task>-<attempt>/`. */
function attemptIn(texts: readonly string[]): string {
  const match = texts.map((text) => /\/attempts\/(\d+-\d+)\//.exec(text)).find((found) => found !== null)
  return match?.[1] ?? ''
}
