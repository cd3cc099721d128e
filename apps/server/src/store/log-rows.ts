/** Log streams read in pieces, and the tail that lies beside the task. */
import { limits } from '@iac-agent/protocol'
import { gunzip } from './gunzip.js'
import type { HotReads, LogChunkRow, LogStreamRow } from './hot-statements.js'
import type { Reader, Tx } from './store.js'

/** The stream's bytes in [from, to); shorter only when the stream is. `to - from` bounds the memory it takes. */
export async function readStreamBytes(hot: HotReads, streamId: number, from: number, to: number): Promise<Buffer> {
  const bytes = await readStreamChunks(hot, streamId, from, to)
  return bytes.subarray(0, Math.max(0, to - from))
}

/** Like readStreamBytes, but goes on to the end of the last chunk it meets: no chunk is read twice by one who reads on. */
export async function readStreamChunks(hot: HotReads, streamId: number, from: number, to: number): Promise<Buffer> {
  const chunks = await hot.logChunks(streamId, from, to)
  const pieces = chunks.map((chunk) => textOf(chunk).subarray(Math.max(0, from - chunk.start_offset)))
  return pieces.length === 1 && pieces[0] ? pieces[0] : Buffer.concat(pieces)
}

function textOf({ bytes, is_packed: isPacked }: LogChunkRow): Buffer {
  return isPacked === 1 ? gunzip(bytes, limits.logChunkBytes) : bytes
}

/** Ends a stream at its present length. Answers false when it is sealed already or no longer `totalBytes` long. */
export async function sealStream(
  tx: Tx,
  streamId: number,
  totalBytes: number,
  sha256: string,
  now: number,
): Promise<boolean> {
  const update = tx.db
    .updateTable('task_log_streams')
    .set({ sealed_bytes: totalBytes, sealed_sha256: sha256, updated_at: now })
    .where('id', '=', streamId)
    .where('length_bytes', '=', totalBytes)
    .where('sealed_bytes', 'is', null)
  return (await update.executeTakeFirst()).numUpdatedRows === 1n
}

/** What tells the state of a stream: its row, and the attempt that writes it. */
export interface LogFacts {
  readonly attempt: number
  readonly attemptIsFinal: boolean
  readonly isSeedOnly: boolean
  readonly stream: LogStreamRow | undefined
}

/** The log of a phase: that of `attempt`, or of the newest one an agent took. Undefined when there is no such attempt. */
export async function findLog(
  reader: Reader,
  taskId: number,
  phase: string,
  attempt: number | undefined,
): Promise<LogFacts | undefined> {
  const number = attempt ?? (await reader.hot.newestAttempt(taskId, phase))
  if (number === undefined) return undefined
  const row = await reader.db
    .selectFrom('task_attempts')
    .select(['state', 'seed_only'])
    .where('task_id', '=', taskId)
    .where('number', '=', number)
    .where('phase', '=', phase)
    .executeTakeFirst()
  if (!row) return undefined
  const stream = await reader.hot.findLogStream(taskId, number, phase)
  return { attempt: number, attemptIsFinal: row.state === 'final', isSeedOnly: row.seed_only === 1, stream }
}

/** The end of an output: what is left of it, and how much there was. */
export interface OutputTail {
  /** the last 64 KiB at most, cut anywhere */
  readonly bytes: Buffer
  readonly totalBytes: number
}

/** The end of what the newest attempt printed in a phase; undefined when nothing was. */
export async function readOutputTail(
  hot: HotReads,
  taskId: number,
  phase: 'plan' | 'apply',
): Promise<OutputTail | undefined> {
  const stream = await hot.newestOutput(taskId, phase)
  if (stream === undefined) return undefined
  const totalBytes = stream.length_bytes
  const from = Math.max(0, totalBytes - limits.outputTailBytes)
  return { bytes: await readStreamBytes(hot, stream.id, from, totalBytes), totalBytes }
}

/** As text: cut to whole characters; `truncated` when there was more. */
export function outputText({ bytes, totalBytes }: OutputTail): { text: string; truncated: boolean } {
  const truncated = totalBytes > bytes.length
  const whole = withoutTornEnd(truncated ? withoutTornStart(bytes) : bytes)
  return { text: whole.toString('utf8'), truncated }
}

/** Drops the end of a character whose beginning was cut off. */
function withoutTornStart(bytes: Buffer): Buffer {
  let from = 0
  while (from < 3 && isContinuation(bytes[from])) from++
  return bytes.subarray(from)
}

/** Drops the beginning of a character whose end is not there yet. */
export function withoutTornEnd(bytes: Buffer): Buffer {
  for (let at = bytes.length - 1; at >= Math.max(0, bytes.length - 4); at--) {
    if (isContinuation(bytes[at])) continue
    return at + characterBytes(bytes[at]) > bytes.length ? bytes.subarray(0, at) : bytes
  }
  return bytes
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80
}

function characterBytes(lead = 0): number {
  if (lead >= 0xf0) return 4
  if (lead >= 0xe0) return 3
  return lead >= 0xc0 ? 2 : 1
}
