/** A log chunk from an agent, over HTTP or as a live frame. */
import { ApiError, type LogChunkAnswer, type Phase } from '@iac-agent/protocol'
import type { Clock } from '@iac-agent/runtime'
import type { Store } from '../../store/store.js'
import type { AgentCaller } from '../attempts/agent-caller.js'
import { requireAttempt, requireAttemptRead, requireLiveAttempt } from '../attempts/require-attempt.js'
import { type Appended, appendLog, keepTail, type Piece } from './append.js'
import type { LogHashes } from './log-hashes.js'

export interface LogDeps {
  readonly store: Store
  readonly clock: Clock
  /** absent: a seal reads the whole log again */
  readonly hashes?: LogHashes
}

export interface ChunkInput extends Piece {
  readonly caller: AgentCaller
  readonly taskId: number
  readonly phase: Phase
}

/** Stores a chunk; late data of a stale attempt goes into that attempt's own stream. Throws `offset_gap`, `log_diverged`. */
export async function saveChunk(deps: LogDeps, input: ChunkInput): Promise<LogChunkAnswer> {
  const { appended, stale } = await deps.store.transaction('save_chunk', async (tx) => {
    const { attempt, stale } = await requireAttempt(tx, input.caller, input.taskId, deps.clock)
    requirePhase(attempt.phase, input.phase)
    const target = { taskId: input.taskId, attempt: attempt.number, phase: input.phase }
    const appended = await appendLog(tx, target, input, deps.clock.now())
    if (attempt.seed_only === 1) await keepTail(tx, target) // nothing seals its log
    return { appended, stale }
  })
  noteHash(deps, appended, input.bytes)
  const { nextOffset, savedBytes } = appended
  return { status: 'ok', next_offset: nextOffset, saved_bytes: savedBytes, ...(stale ? { late: true } : {}) }
}

/** After the COMMIT. */
function noteHash({ hashes }: LogDeps, { nextOffset, savedBytes, streamId }: Appended, bytes: Buffer): void {
  if (savedBytes > 0) hashes?.add(streamId, nextOffset - savedBytes, bytes.subarray(bytes.length - savedBytes))
}

export interface LiveInput {
  readonly agentId: string
  readonly taskId: number
  readonly attempt: number
  readonly phase: Phase
  readonly offset: number
  readonly bytes: Buffer
}

/**
 * Stores the bytes of a live frame by the same rule. A frame beyond the stored length is dropped; the answer says where to go on.
 * Bytes of a stale attempt are not taken here: they come as late data over HTTP.
 */
export async function appendLive(deps: LogDeps, input: LiveInput): Promise<{ nextOffset: number } | { stale: true }> {
  const done = await deps.store.transaction('append_live', async (tx) => {
    const { attempt, stale } = await requireLiveAttempt(tx, input.agentId, input.taskId, input.attempt, deps.clock)
    if (stale) return { stale: true as const }
    requirePhase(attempt.phase, input.phase)
    const known = await tx.hot.findLogStream(input.taskId, input.attempt, input.phase)
    if (input.offset > (known?.length_bytes ?? 0)) return { nextOffset: known?.length_bytes ?? 0 }
    const target = { taskId: input.taskId, attempt: input.attempt, phase: input.phase }
    return await appendLog(tx, target, input, deps.clock.now())
  })
  if ('stale' in done) return done
  if ('streamId' in done) noteHash(deps, done, input.bytes)
  return { nextOffset: done.nextOffset }
}

/** How many bytes of the attempt's stream are stored. */
export function nextLogOffset(
  deps: LogDeps,
  input: { caller: AgentCaller; taskId: number; phase: Phase },
): Promise<{ next_offset: number }> {
  return deps.store.read(async (reader) => {
    const { attempt } = await requireAttemptRead(reader, input.caller, input.taskId)
    requirePhase(attempt.phase, input.phase)
    const stream = await reader.hot.findLogStream(input.taskId, attempt.number, input.phase)
    return { next_offset: stream?.length_bytes ?? 0 }
  })
}

/** An attempt runs one phase and writes one stream. */
export function requirePhase(attemptPhase: string, phase: Phase): void {
  if (attemptPhase === phase) return
  throw new ApiError('invalid_request', `phase must be ${attemptPhase}: that is what this attempt runs`, {
    field: 'phase',
  })
}
