/** One round of an attempt's delivery: a lane per kind of data, side by side, until nothing is left for them. */
import type { Stage } from '@iac-agent/protocol'
import { pause } from '@iac-agent/runtime'
import { Bell } from './bell.js'
import { Courier, type CourierDeps } from './courier.js'
import { runDocumentLane } from './document-lane.js'
import { LogLane, type LogLaneOptions } from './log-lane.js'
import { runProgressLane } from './progress-lane.js'
import { runStateLane } from './state-lane.js'
import { StatusLane } from './status-lane.js'

export interface DeliveryOptions extends CourierDeps, LogLaneOptions {}

/** A lane that a fault of the disk stopped starts again after this. */
const laneRetryMs = 5000

export class Round {
  readonly #options: DeliveryOptions
  readonly #signal: AbortSignal
  readonly #bell = new Bell()
  readonly #progressBell = new Bell()
  readonly #log: LogLane
  readonly #status: StatusLane
  readonly #courier: Courier

  /** @param signal ends the round: what is unsent stays on disk */
  constructor(options: DeliveryOptions, signal: AbortSignal) {
    this.#options = options
    this.#signal = signal
    this.#courier = new Courier(options, signal)
    this.#log = new LogLane(options, options, this.#courier, this.#bell)
    this.#status = new StatusLane(options, this.#courier, this.#bell)
  }

  /** Runs the lanes until each has ended. Run once; never rejects. */
  async run(): Promise<void> {
    const unwatch = this.#options.journal.watch(({ fact }) => {
      this.#bell.ring()
      if (fact === 'outcome') this.#progressBell.ring()
    })
    const signal = this.#signal
    const lanes = {
      state: () => runStateLane(this.#options, this.#courier, this.#bell, signal),
      unrecorded: () => runDocumentLane('unrecorded', this.#options, this.#courier, this.#bell, signal),
      plan: () => runDocumentLane('plan', this.#options, this.#courier, this.#bell, signal),
      planJson: () => runDocumentLane('plan_json', this.#options, this.#courier, this.#bell, signal),
      progress: () => runProgressLane(this.#options, this.#courier, this.#progressBell, signal),
      log: () => this.#log.run(signal),
      status: () => this.#status.run(signal),
    }
    await Promise.all(Object.entries(lanes).map(([name, run]) => this.#keep(name, run)))
    unwatch()
  }

  /** There are new lines of progress. */
  progressed(): void {
    this.#progressBell.ring()
  }

  stage(stage: Stage): void {
    this.#status.stage(stage)
  }

  watch(isWatched: boolean): void {
    this.#log.watch(isWatched)
  }

  acknowledgeLive(nextOffset: number): void {
    this.#log.acknowledge(nextOffset)
  }

  get logBytesAcknowledged(): number {
    return this.#log.acknowledgedBytes
  }

  /** A lane ends by itself or by abort; anything else is a fault that is told and waited out. */
  async #keep(lane: string, run: () => Promise<void>): Promise<void> {
    while (!this.#signal.aborted) {
      try {
        await run()
        return
      } catch (err) {
        if (this.#signal.aborted) return
        this.#options.log.error({ lane, err }, 'delivery lane failed, starting it again')
        await pause(laneRetryMs, this.#signal)
      }
    }
  }
}
