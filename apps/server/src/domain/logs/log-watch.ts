/** Follows logs as they are committed: viewers tail the store, woken by its changes; those at the same place share one read. */
import { isFinal, type LogState, type Phase, type TaskStatus } from '@iac-agent/protocol'
import { readStreamChunks, withoutTornEnd } from '../../store/log-rows.js'
import type { Store } from '../../store/store.js'
import { type LogPiece, type LogQuery, locateLog, pieceOf, presentPhase } from './read-log.js'
import { type TaskBell, TaskBells } from './task-bells.js'

/** A piece ends with the chunk that goes beyond this: a slow viewer holds one piece, of 1 MiB and this at most. */
const pieceBytes = 64 * 1024

export interface LogEnd {
  readonly attempt: number
  readonly phase: Phase
  readonly nextOffset: number
  readonly state: LogState
}

export class LogWatch implements Disposable {
  readonly #store: Store
  readonly #bells: TaskBells

  constructor(store: Store) {
    this.#store = store
    this.#bells = new TaskBells(store)
  }

  /** Whether somebody watches the task's log now. */
  isWatched(taskId: number): boolean {
    return this.#bells.isHeld(taskId)
  }

  /** Tells when a task gets its first viewer and loses its last. Answers the way to unsubscribe. */
  onWatched(listener: (taskId: number, isWatched: boolean) => void): () => void {
    return this.#bells.onHeld(listener)
  }

  /**
   * Yields the log from `offset` on, cut at whole characters, as it grows; waits for an attempt that has not begun. Returns when
   * the log has ended and all of it was yielded, or undefined on abort. Throws `not_found`, and `invalid_request` for an
   * offset beyond an ended log.
   */
  async *watch(
    query: LogQuery & { offset?: number | undefined },
    signal: AbortSignal,
  ): AsyncGenerator<LogPiece, LogEnd | undefined> {
    const bell = this.#bells.hold(query.taskId)
    try {
      let place = { ...query, offset: query.offset ?? 0 }
      while (!signal.aborted) {
        const seen = bell.rings
        const { piece, phase, isOver } = await this.#look(bell, place)
        place = { ...place, phase, attempt: piece.attempt === 0 ? place.attempt : piece.attempt }
        if (piece.bytes.length > 0) {
          yield piece
          place.offset = piece.nextOffset
        }
        if (isOver) {
          return { attempt: piece.attempt, phase, nextOffset: place.offset, state: piece.state }
        }
        if (piece.bytes.length === 0) await bell.next(seen, signal)
      }
      return undefined
    } finally {
      this.#bells.release(query.taskId)
    }
  }

  [Symbol.dispose](): void {
    this.#bells[Symbol.dispose]()
  }

  #look(bell: TaskBell, place: LogQuery & { offset: number }): Promise<Look> {
    const key = `${place.phase} ${place.attempt} ${place.offset}`
    return bell.share(key, () => this.#read(place))
  }

  #read(place: LogQuery & { offset: number }): Promise<Look> {
    return this.#store.read(async (reader) => {
      const phase = place.phase ?? (await presentPhase(reader, place.taskId, place.attempt))
      const log = await locateLog(reader, { ...place, phase })
      const taskRow = reader.db.selectFrom('workspace_tasks').select('status').where('id', '=', place.taskId)
      const { status } = await taskRow.executeTakeFirstOrThrow()
      const whole = await pieceOf(reader, log, place.offset, pieceBytes, readStreamChunks)
      const isEnded = log ? whole.state !== 'uploading' : isFinal(status as TaskStatus)
      const isOver = isEnded && whole.nextOffset >= whole.lengthBytes
      return { piece: isOver ? whole : cutPiece(whole), phase, isOver }
    })
  }
}

interface Look {
  readonly piece: LogPiece
  readonly phase: Phase
  /** nothing follows this piece */
  readonly isOver: boolean
}

/** Leaves an unfinished character at the end for the next piece. */
function cutPiece(piece: LogPiece): LogPiece {
  const bytes = withoutTornEnd(piece.bytes)
  return { ...piece, bytes, nextOffset: piece.offset + bytes.length }
}
