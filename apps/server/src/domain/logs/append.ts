/** Appends bytes to a log stream by the offset rule; the stored length is the truth. */
import { ApiError, judgeChunk, type Phase } from '@iac-agent/protocol'
import { readOutputTail, readStreamBytes } from '../../store/log-rows.js'
import type { Tx } from '../../store/store.js'

export interface LogTarget {
  readonly taskId: number
  readonly attempt: number
  readonly phase: Phase
}

export interface Appended {
  /** bytes of the stream that are stored now */
  readonly nextOffset: number
  /** bytes of the chunk that were new: its last ones */
  readonly savedBytes: number
  readonly streamId: number
}

export interface Piece {
  readonly offset: number
  readonly bytes: Buffer
  /** `bytes` as gzip packed them: stored in their place when all of them are new */
  readonly packed?: Buffer | undefined
}

/**
 * Appends a piece. Idempotent by offset: what is stored already must be equal and is not stored again.
 * Throws `offset_gap` when bytes are missing before it, `log_diverged` when stored bytes differ or the stream is sealed.
 */
export async function appendLog(
  tx: Tx,
  target: LogTarget,
  { offset, bytes, packed }: Piece,
  now: number,
): Promise<Appended> {
  const stream = await tx.hot.openLogStream(target.taskId, target.attempt, target.phase, now)
  const length = stream.length_bytes
  const verdict = judgeChunk(length, offset, bytes.length)
  if (verdict.kind === 'gap') throw offsetGap(length, offset)
  const overlapBytes = Math.min(length, offset + bytes.length) - offset
  if (overlapBytes > 0) {
    const stored = await readStreamBytes(tx.hot, stream.id, offset, offset + overlapBytes)
    if (!stored.equals(bytes.subarray(0, overlapBytes)))
      throw diverged(length, 'the bytes differ from those stored at their offset')
  }
  if (verdict.kind === 'duplicate') return { nextOffset: length, savedBytes: 0, streamId: stream.id }
  if (stream.sealed_bytes !== null) throw diverged(length, `the log was sealed at ${stream.sealed_bytes} bytes`)
  const fresh = bytes.subarray(verdict.skip)
  const chunk = { bytes: fresh, packed: verdict.skip === 0 ? smaller(packed, fresh) : undefined }
  if (!(await tx.hot.appendLogChunk(stream.id, length, chunk, now))) throw offsetGap(length, offset)
  tx.changed({ kind: 'log', taskId: target.taskId, attempt: target.attempt, phase: target.phase })
  return { nextOffset: verdict.nextOffset, savedBytes: fresh.length, streamId: stream.id }
}

/** The task row keeps the end of the newest attempt's output; bytes of an earlier one stay in its own stream. */
export async function keepTail(tx: Tx, { taskId, phase }: Pick<LogTarget, 'taskId' | 'phase'>): Promise<void> {
  const tail = await readOutputTail(tx.hot, taskId, phase)
  if (tail !== undefined) await tx.hot.keepOutputTail(taskId, phase, tail.bytes, tail.totalBytes)
}

function smaller(packed: Buffer | undefined, bytes: Buffer): Buffer | undefined {
  return packed !== undefined && packed.length < bytes.length ? packed : undefined
}

function offsetGap(length: number, offset: number): ApiError {
  return new ApiError('offset_gap', `bytes are missing: the log holds ${length}, the chunk begins at ${offset}`, {
    next_offset: length,
  })
}

function diverged(length: number, problem: string): ApiError {
  return new ApiError('log_diverged', problem, { next_offset: length })
}
