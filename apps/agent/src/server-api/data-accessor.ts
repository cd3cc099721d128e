/** The port through which an attempt reaches its data: one method per endpoint, each one request, each repeatable. */
import type { Phase, ResourceReport, StatusUpdate, TaskData } from '@iac-agent/protocol'
import type { PackedLog } from './pack-log.js'

/** The server has it; `late` when it was stored as data of an attempt that is no longer current. */
export interface Receipt {
  late: boolean
  /** life of the server's store that has it; absent when the server did not say */
  epoch?: number
}

export interface DataAccessor {
  /** Everything the attempt needs; the state's content only when asked for. */
  getTaskData(options?: { includeState?: boolean }): Promise<TaskData>
  /** Writes the current state's bytes to `toPath` (whole or not at all); undefined when the workspace has none. */
  getState(toPath: string): Promise<{ version: number } | undefined>
  /** Writes the uploaded tree (tar.gz) to `toPath`, checked against `expected`. */
  getConfiguration(toPath: string, expected: { sha256: string; size: number }): Promise<void>
  /** Writes the confirmed plan archive to `toPath`, checked against the server's checksum. */
  getPlan(toPath: string): Promise<{ sha256: string }>
  /** Same bytes again: same plan. */
  savePlan(path: string): Promise<Receipt>
  savePlanJson(path: string): Promise<Receipt>
  /** The last gate: resolves once per `startId`, and again for the same one. */
  startApply(startId: string): Promise<void>
  /** The same again is the same. */
  updateTaskStatus(update: StatusUpdate): Promise<Receipt>
  /** Repeatable by offset: what the server has already must be equal. `nextOffset` is the truth. */
  saveLogChunk(chunk: { phase: Phase; offset: number; log: PackedLog }): Promise<Receipt & { nextOffset: number }>
  nextLogOffset(phase: Phase): Promise<number>
  sealLog(seal: { phase: Phase; totalBytes: number; sha256: string }): Promise<Receipt>
  /** Repeatable by serial and bytes: the same again is the same version. `sha256` is what the file had when it was written. */
  saveState(path: string, sha256: string): Promise<Receipt & { version: number; rescued: boolean }>
  /** What is listed in the file: the same again is the same. */
  saveUnrecorded(path: string): Promise<Receipt>
  /** The newest report of an address wins. */
  reportResources(reports: readonly ResourceReport[]): Promise<Receipt>
}
