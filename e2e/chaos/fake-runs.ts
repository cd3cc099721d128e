/** The oracle's records as runs: one per terraform process. */
import type { OracleRecord } from '@iac-agent/testkit'

/** A process of the fake terraform. Times in epoch ms. */
export interface FakeRun {
  /** `<task>-<number>`; after a restore two attempts may bear the same name */
  readonly attempt: string
  readonly workspaceId: string
  readonly command: 'init' | 'plan' | 'apply'
  readonly pid: number
  readonly beganAt: number
  /** Absent: it was killed. */
  ended?: { readonly at: number; readonly code: number }
  /** What the log must show of it, write by write. */
  readonly texts: string[]
  /** Bytes that a full disk did not take. */
  lostBytes: number
  readonly posted: { readonly serial: number; readonly sha256: string }[]
  /** `id` absent: destroyed. */
  readonly completed: { readonly address: string; readonly id?: string }[]
  interrupts: number
}

/** In the order of their begin. */
export function fakeRunsOf(records: readonly OracleRecord[]): FakeRun[] {
  const runs: FakeRun[] = []
  const byPid = new Map<number, FakeRun>()
  for (const record of records) {
    if (record.kind === 'begin') {
      const { attempt, workspace: workspaceId, command, pid, at: beganAt } = record
      const run = {
        attempt,
        workspaceId,
        command,
        pid,
        beganAt,
        texts: [],
        lostBytes: 0,
        posted: [],
        completed: [],
        interrupts: 0,
      }
      byPid.set(pid, run)
      runs.push(run)
      continue
    }
    const run = byPid.get(record.pid)
    if (run === undefined) throw new Error(`the oracle has a record of process ${record.pid} before its begin`)
    take(run, record)
  }
  return runs
}

function take(run: FakeRun, record: Exclude<OracleRecord, { kind: 'begin' }>): void {
  switch (record.kind) {
    case 'end':
      run.ended = { at: record.at, code: record.code }
      break
    case 'line':
      run.texts.push(record.text)
      break
    case 'lost':
      run.lostBytes += record.bytes
      break
    case 'posted':
      run.posted.push({ serial: record.serial, sha256: record.sha256 })
      break
    case 'complete':
      run.completed.push({ address: record.address, ...(record.id === undefined ? {} : { id: record.id }) })
      break
    case 'interrupt':
      run.interrupts++
  }
}
