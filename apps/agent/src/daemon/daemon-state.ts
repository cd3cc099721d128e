/** What the daemon is doing as a whole; moved by one setter that logs. */
import type { Logger } from '@iac-agent/runtime'

export type DaemonPhase =
  /** not yet registered: waits for the server, delivers what is left */
  | 'starting'
  /** takes work */
  | 'serving'
  /** takes no new work, ends when the last attempt is delivered */
  | 'draining'
  /** interrupts what runs, then ends like draining */
  | 'cancelling'
  /** leaves now; what is undelivered stays on disk */
  | 'leaving'

const order: readonly DaemonPhase[] = ['starting', 'serving', 'draining', 'cancelling', 'leaving']

export class DaemonState {
  #phase: DaemonPhase = 'starting'
  /** The server asked for no new work (an operator's drain); it can take that back. */
  isDrainedByServer = false

  constructor(private readonly log: Logger) {}

  get phase(): DaemonPhase {
    return this.#phase
  }

  /** New work is welcome. */
  get takesWork(): boolean {
    return (this.#phase === 'starting' || this.#phase === 'serving') && !this.isDrainedByServer
  }

  /** True while the daemon means to end. */
  get isEnding(): boolean {
    return order.indexOf(this.#phase) >= order.indexOf('draining')
  }

  /** Moves forward only; false when it was there or beyond. */
  move(to: DaemonPhase): boolean {
    if (order.indexOf(to) <= order.indexOf(this.#phase)) return false
    this.log.info({ from: this.#phase, to }, 'daemon phase')
    this.#phase = to
    return true
  }
}
