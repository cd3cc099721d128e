/** Tells the server stages as they come (best effort) and the final status when it has everything that status speaks of. */
import type { Stage, StatusUpdate } from '@iac-agent/protocol'
import { first, has } from '../journal/attempt-facts.js'
import type { Outcome } from '../journal/attempt-record.js'
import type { DataAccessor, Receipt } from '../server-api/data-accessor.js'
import { isRetryable, ServerRefused } from '../server-api/errors.js'
import type { Bell } from './bell.js'
import type { Courier, CourierDeps } from './courier.js'
import { acknowledgedIn, isSettled, isStatusDue } from './unsent.js'

/** A stage is told once it has lasted: what is over by then is not worth a request. */
const stageSettleMs = 100
/** A stage that could not be told is tried again after this; by then there may be a newer one. */
const stageRetryMs = 2000

export class StatusLane {
  readonly #deps: CourierDeps
  readonly #courier: Courier
  readonly #bell: Bell
  #stage: Stage | undefined
  #stageSince = 0

  constructor(deps: CourierDeps, courier: Courier, bell: Bell) {
    this.#deps = deps
    this.#courier = courier
    this.#bell = bell
  }

  /** The newest stage; it takes the place of one that was not told yet. */
  stage(stage: Stage): void {
    this.#stage = stage
    this.#stageSince = performance.now()
    this.#bell.ring()
  }

  /** Ends when the final status is settled, or on abort. */
  async run(signal: AbortSignal): Promise<void> {
    const { facts } = this.#deps.journal
    while (!(signal.aborted || isSettled(facts, 'status'))) {
      const { rings } = this.#bell
      const outcome = first(facts, 'outcome')
      if (outcome !== undefined && isStatusDue(facts)) await this.#tellOutcome(outcome)
      else if (this.#stage === undefined || has(facts, 'outcome')) await this.#bell.wait(rings, signal)
      else {
        const leftMs = this.#stageSince + stageSettleMs - performance.now()
        if (leftMs > 0) await this.#bell.wait(rings, signal, leftMs)
        else await this.#tellStage(this.#stage, signal)
      }
    }
  }

  async #tellOutcome(outcome: Outcome): Promise<void> {
    const store_epoch = acknowledgedIn(this.#deps.journal.facts)
    // A store restored a moment ago must not end the task before it has again what it lost.
    const content = { ...finalUpdate(outcome), ...(store_epoch === undefined ? {} : { store_epoch }) }
    await this.#courier.deliver({ item: 'status', content, send: (accessor) => tell(accessor, content) })
  }

  async #tellStage(stage: Stage, signal: AbortSignal): Promise<void> {
    this.#stage = undefined
    try {
      await this.#deps.accessor.updateTaskStatus({ status: 'running', stage })
    } catch (err) {
      if (signal.aborted) return
      this.#deps.log.debug({ err, stage }, 'stage not told')
      if (!isRetryable(err)) return
      this.#stage ??= stage
      await this.#bell.wait(this.#bell.rings, signal, stageRetryMs)
    }
  }
}

/** A stale attempt's status is not wanted: that answer settles it like an acknowledgement. */
async function tell(accessor: DataAccessor, update: StatusUpdate): Promise<Receipt> {
  try {
    return await accessor.updateTaskStatus(update)
  } catch (err) {
    if (err instanceof ServerRefused && err.code === 'stale_lease') {
      return { late: true, ...(err.storeEpoch === undefined ? {} : { epoch: err.storeEpoch }) }
    }
    throw err
  }
}

function finalUpdate(outcome: Outcome): StatusUpdate {
  const { counts, errorCode, errorMessage, used } = outcome
  return {
    status: outcome.status,
    stage: 'completed',
    duration: outcome.durationSeconds,
    ...(used === undefined ? {} : { usage: { peak_rss_bytes: used.peakRssBytes ?? null, cpu_ms: used.cpuMs ?? null } }),
    ...(counts === undefined
      ? {}
      : { changes_add: counts.add, changes_change: counts.change, changes_destroy: counts.destroy }),
    ...(errorCode === undefined ? {} : { error_code: errorCode }),
    ...(errorMessage === undefined ? {} : { error_message: errorMessage.slice(0, 16_384) }),
  }
}
