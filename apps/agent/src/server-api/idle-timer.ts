/** A clock for requests in which nothing moves. */
import { letGo } from '@iac-agent/runtime'

/** Aborts a request in which nothing moves: each piece sent or received starts the clock anew, so a slow network is not a dead one. */
export class IdleTimer {
  readonly #abort = new AbortController()
  readonly #timer: NodeJS.Timeout
  /** Aborted when idle for too long or when the caller's signal is. */
  readonly signal: AbortSignal

  constructor(
    readonly ms: number,
    caller: AbortSignal | undefined,
  ) {
    this.#timer = setTimeout(() => this.#abort.abort(), ms)
    this.signal = caller === undefined ? this.#abort.signal : AbortSignal.any([this.#abort.signal, caller])
  }

  get isExpired(): boolean {
    return this.#abort.signal.aborted
  }

  /** Passes `pieces` on, starting the clock anew with each. */
  async *watch(pieces: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
    for await (const piece of pieces) {
      this.#timer.refresh()
      yield piece
    }
  }

  /** The same for a body that is sent: a piece is asked for when the one before has left. */
  async *watchUpload(pieces: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
    for await (const piece of pieces) {
      this.#timer.refresh()
      yield piece
      letGo(piece.length)
    }
    this.#timer.refresh()
  }

  stop(): void {
    clearTimeout(this.#timer)
  }
}
