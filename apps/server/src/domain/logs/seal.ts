/** Ends a stream: total and hash prove that what is stored is what the agent's spool holds. */
import { createHash } from 'node:crypto'
import { ApiError, type Phase, readChecksum } from '@iac-agent/protocol'
import type { LogStreamRow } from '../../store/hot-statements.js'
import { readStreamChunks, sealStream } from '../../store/log-rows.js'
import type { Store } from '../../store/store.js'
import type { AgentCaller } from '../attempts/agent-caller.js'
import { requireAttempt } from '../attempts/require-attempt.js'
import { keepTail } from './append.js'
import { type LogDeps, requirePhase } from './save-chunk.js'

export interface SealInput {
  readonly caller: AgentCaller
  readonly taskId: number
  readonly phase: Phase
  readonly totalBytes: number
  readonly sha256: string
}

/** Read at once, and to the end of the chunk in which this ends. */
const pieceBytes = 64 * 1024

/**
 * Seals the attempt's stream. The same seal again is 200. Throws `offset_gap` when bytes are missing, `log_diverged` when the
 * stream is longer, has other bytes, or was sealed otherwise.
 */
export async function sealLog(deps: LogDeps, input: SealInput): Promise<{ status: 'complete'; late?: true }> {
  const sha256 = readChecksum(input.sha256)
  if (!sha256)
    throw new ApiError('invalid_request', 'sha256 must be the hex SHA-256 of the whole log', { field: 'sha256' })
  const { stream, stale } = await openStream(deps, input)
  checkLength(stream, input.totalBytes)
  const storedSha256 = stream.sealed_sha256 ?? (await hashOf(deps, stream.id, input.totalBytes, sha256))
  if (storedSha256 !== sha256)
    throw new ApiError('log_diverged', 'the stored log has another SHA-256', { sha256: storedSha256 })
  if (stream.sealed_sha256 === null) await seal(deps, input, stream.id, sha256)
  deps.hashes?.forget(stream.id)
  return { status: 'complete', ...(stale ? { late: true } : {}) }
}

function openStream(
  deps: LogDeps,
  { caller, taskId, phase }: SealInput,
): Promise<{ stream: LogStreamRow; stale: boolean }> {
  return deps.store.transaction('open_seal', async (tx) => {
    const { attempt, stale } = await requireAttempt(tx, caller, taskId, deps.clock)
    requirePhase(attempt.phase, phase)
    return { stream: await tx.hot.openLogStream(taskId, attempt.number, phase, deps.clock.now()), stale }
  })
}

function checkLength(stream: LogStreamRow, totalBytes: number): void {
  const details = { next_offset: stream.length_bytes }
  if (totalBytes > stream.length_bytes) {
    throw new ApiError(
      'offset_gap',
      `bytes are missing: the log holds ${stream.length_bytes} of ${totalBytes}`,
      details,
    )
  }
  if (totalBytes < stream.length_bytes) {
    throw new ApiError(
      'log_diverged',
      `the log holds ${stream.length_bytes} bytes, more than the ${totalBytes} to seal`,
      details,
    )
  }
}

/**
 * A stream only grows: its first bytes can be hashed outside of any transaction. They are read again unless what this process has
 * committed hashes to `claimed`.
 */
async function hashOf(
  { store, hashes }: LogDeps,
  streamId: number,
  totalBytes: number,
  claimed: string,
): Promise<string> {
  return hashes?.of(streamId, totalBytes) === claimed ? claimed : await hashStream(store, streamId, totalBytes)
}

async function hashStream(store: Store, streamId: number, totalBytes: number): Promise<string> {
  const hash = createHash('sha256')
  for (let at = 0; at < totalBytes; ) {
    const bytes = await store.read((reader) => readStreamChunks(reader.hot, streamId, at, at + pieceBytes))
    if (bytes.length === 0) throw new Error(`the log stream ${streamId} has a hole at byte ${at}`)
    hash.update(bytes)
    at += bytes.length
  }
  return hash.digest('hex')
}

async function seal(
  deps: LogDeps,
  { taskId, phase, totalBytes }: SealInput,
  streamId: number,
  sha256: string,
): Promise<void> {
  await deps.store.transaction('seal_log', async (tx) => {
    if (!(await sealStream(tx, streamId, totalBytes, sha256, deps.clock.now()))) {
      throw new ApiError('log_diverged', 'the log grew or was sealed while it was being sealed')
    }
    await keepTail(tx, { taskId, phase })
    const stream = await tx.db
      .selectFrom('task_log_streams')
      .select('attempt')
      .where('id', '=', streamId)
      .executeTakeFirstOrThrow()
    tx.changed({ kind: 'log', taskId, attempt: stream.attempt, phase })
  })
}
