/** A piece of a task's log, for a person. */
import { ApiError, type LogState, type Phase } from '@iac-agent/protocol'
import { findLog, type LogFacts, readStreamBytes, readStreamChunks } from '../../store/log-rows.js'
import type { Reader, Store } from '../../store/store.js'
import { logStateOf } from './log-state.js'

export interface LogPiece {
  /** 0 while no agent took the phase yet */
  readonly attempt: number
  readonly offset: number
  readonly bytes: Buffer
  readonly nextOffset: number
  /** bytes stored of the whole stream */
  readonly lengthBytes: number
  readonly state: LogState
}

export interface LogQuery {
  readonly taskId: number
  /** default: apply once an agent took it, else plan */
  readonly phase?: Phase | undefined
  /** default: the newest that an agent took */
  readonly attempt?: number | undefined
}

const defaultLimitBytes = 1024 * 1024
/** What one reader holds of a log at a time, however much it asked for: this, and to the end of the chunk in which it ends. */
const heldBytes = 64 * 1024

/** Part of a log, read as it is taken. */
export interface OpenLog extends Omit<LogPiece, 'bytes'> {
  readonly bytes: AsyncIterable<Buffer>
}

/**
 * Bytes from `offset` on, at most `limit` (1 MiB when absent); none when the stream ends there.
 * Throws `not_found` for an unknown task or attempt, `invalid_request` for an offset beyond the stream.
 */
export function openLog(
  { store }: { store: Store },
  query: LogQuery & { offset?: number | undefined; limit?: number | undefined },
): Promise<OpenLog> {
  const { offset = 0, limit = defaultLimitBytes } = query
  return store.read(async (reader) => {
    const log = await locateLog(reader, query)
    const piece = await pieceOf(reader, log, offset, 0)
    const nextOffset = Math.max(offset, Math.min(piece.lengthBytes, offset + limit))
    return { ...piece, nextOffset, bytes: streamedBytes(store, log?.stream?.id, offset, nextOffset) }
  })
}

async function* streamedBytes(
  store: Store,
  streamId: number | undefined,
  from: number,
  end: number,
): AsyncGenerator<Buffer> {
  if (streamId === undefined) return
  for (let at = from; at < end; ) {
    const until = Math.min(end, at + heldBytes)
    const bytes = await store.read((reader) => readStreamChunks(reader.hot, streamId, at, until))
    if (bytes.length === 0) throw new Error(`the log stream ${streamId} has a hole at byte ${at}`)
    yield bytes.subarray(0, end - at)
    at += bytes.length
  }
}

/** Reads one piece of a located log; undefined log: the phase has not begun, so there is nothing yet. */
export async function pieceOf(
  reader: Reader,
  log: LogFacts | undefined,
  offset: number,
  limit: number,
  read = readStreamBytes,
): Promise<LogPiece> {
  const lengthBytes = log?.stream?.length_bytes ?? 0
  if (offset > lengthBytes && log?.attemptIsFinal) {
    throw new ApiError('invalid_request', `offset is beyond the log's ${lengthBytes} bytes`, {
      field: 'offset',
      next_offset: lengthBytes,
    })
  }
  const end = Math.min(lengthBytes, offset + limit)
  const bytes = log?.stream && end > offset ? await read(reader.hot, log.stream.id, offset, end) : Buffer.alloc(0)
  const state = log ? logStateOf({ ...log, isSealed: log.stream?.sealed_bytes != null }) : 'uploading'
  return { attempt: log?.attempt ?? 0, offset, bytes, nextOffset: offset + bytes.length, lengthBytes, state }
}

/** Finds the stream a query means. Throws `not_found`. */
export async function locateLog(reader: Reader, { taskId, phase, attempt }: LogQuery): Promise<LogFacts | undefined> {
  const task = await reader.db.selectFrom('workspace_tasks').select('id').where('id', '=', taskId).executeTakeFirst()
  if (!task) throw new ApiError('not_found', `task ${taskId} does not exist`)
  const log = await findLog(reader, taskId, phase ?? (await presentPhase(reader, taskId, attempt)), attempt)
  if (!log && attempt !== undefined) throw new ApiError('not_found', `task ${taskId} has no such attempt ${attempt}`)
  return log
}

/** The phase a viewer means who names none: that of the attempt, or the furthest an agent took. */
export async function presentPhase(reader: Reader, taskId: number, attempt: number | undefined): Promise<Phase> {
  const applies = reader.db
    .selectFrom('task_attempts')
    .select('number')
    .where('task_id', '=', taskId)
    .where('phase', '=', 'apply')
  const apply =
    attempt === undefined ? applies.where('accepted_at', 'is not', null) : applies.where('number', '=', attempt)
  return (await apply.executeTakeFirst()) ? 'apply' : 'plan'
}
