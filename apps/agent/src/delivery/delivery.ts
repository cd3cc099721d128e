/** Delivery of one attempt: a lane per kind of data; what is unsent is read from the journal, so a new process goes on where the old one ended. */
import type { Stage } from '@iac-agent/protocol'
import { pause } from '@iac-agent/runtime'
import type { Item } from '../journal/attempt-record.js'
import { Bell } from './bell.js'
import { Courier, type CourierDeps } from './courier.js'
import { runDocumentLane } from './document-lane.js'
import { LogLane, type LogLaneOptions } from './log-lane.js'
import { runProgressLane } from './progress-lane.js'
import { runStateLane } from './state-lane.js'
import { StatusLane } from './status-lane.js'
import { isAllSettled, unsentItems } from './unsent.js'

export interface DeliveryOptions extends CourierDeps, LogLaneOptions {}

/** A lane that a fault of the disk stopped starts again after this. */
const laneRetryMs = 5000

export class Delivery {
  /** Resolves when every item is delivered or refused for good; never rejects. */
  readonly settled: Promise<void>
  readonly #options: DeliveryOptions
  readonly #bell = new Bell()
  readonly #stop = new AbortController()
  readonly #log: LogLane
  readonly #status: StatusLane
  readonly #courier: Courier
  #settle: () => void = () => undefined

  constructor(options: DeliveryOptions) {
    this.#options = options
    this.#courier = new Courier(options, this.#stop.signal)
    this.#log = new LogLane(options, options, this.#courier, this.#bell)
    this.#status = new StatusLane(options, this.#courier, this.#bell)
    this.settled = new Promise((resolve) => {
      this.#settle = resolve
    })
    if (isAllSettled(options.journal.facts)) this.#settle()
  }

  /** Runs the lanes until all is settled, or abort: then what is unsent stays on disk. Run once; never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const stop = () => this.#stop.abort(signal.reason)
    signal.addEventListener('abort', stop)
    if (signal.aborted) stop()
    const unwatch = this.#options.journal.watch(() => this.#bell.ring())
    try {
      await this.#runLanes(this.#stop.signal)
    } finally {
      unwatch()
      signal.removeEventListener('abort', stop)
    }
    if (isAllSettled(this.#options.journal.facts)) this.#settle()
  }

  /** There is something new on disk that no fact tells of. */
  wake(): void {
    this.#bell.ring()
  }

  /** Best effort; the newest wins. */
  stage(stage: Stage): void {
    this.#status.stage(stage)
  }

  /** start_realtime_stream and stop_realtime_stream. */
  watch(isWatched: boolean): void {
    this.#log.watch(isWatched)
  }

  /** log_ack. */
  acknowledgeLive(nextOffset: number): void {
    this.#log.acknowledge(nextOffset)
  }

  /** Log bytes the server is known to hold. */
  get logBytesAcknowledged(): number {
    return this.#log.acknowledgedBytes
  }

  /** What the server has not acknowledged yet (`status`, and what drain waits for). */
  unsent(): Item[] {
    return unsentItems(this.#options.journal.facts)
  }

  async #runLanes(signal: AbortSignal): Promise<void> {
    const lanes = {
      state: () => runStateLane(this.#options, this.#courier, this.#bell, signal),
      documents: () => runDocumentLane(this.#options, this.#courier, this.#bell, signal),
      progress: () => runProgressLane(this.#options, this.#courier, this.#bell, signal),
      log: () => this.#log.run(signal),
      status: () => this.#status.run(signal),
    }
    await Promise.all(Object.entries(lanes).map(([name, run]) => this.#keep(name, run, signal)))
  }

  /** A lane ends by itself or by abort; anything else is a fault that is told and waited out. */
  async #keep(lane: string, run: () => Promise<void>, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await run()
        return
      } catch (err) {
        if (signal.aborted) return
        this.#options.log.error({ lane, err }, 'delivery lane failed, starting it again')
        await pause(laneRetryMs, signal)
      }
    }
  }
}
