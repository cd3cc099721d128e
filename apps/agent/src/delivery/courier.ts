/** Brings one item to the server and records the answer: what every lane does. */
import { type Logger, pause } from '@iac-agent/runtime'
import type { Item, NewFact } from '../journal/attempt-record.js'
import { crashPoint } from '../journal/crash-points.js'
import type { Journal } from '../journal/journal.js'
import type { AttemptLayout } from '../journal/layout.js'
import type { DataAccessor, Receipt } from '../server-api/data-accessor.js'
import { ServerRefused } from '../server-api/errors.js'
import type { Retry } from '../server-api/retry.js'
import { setAside } from './quarantine.js'
import { isUnknown } from './unsent.js'

export interface CourierDeps {
  journal: Journal
  layout: AttemptLayout
  accessor: DataAccessor
  retry: Retry
  log: Logger
}

export interface Parcel {
  item: Item
  /** which one, when there are several */
  name?: string
  /** kept in quarantine when refused */
  file?: string
  /** kept in quarantine when refused and there is no file */
  content?: unknown
  /** one request; repeatable */
  send(accessor: DataAccessor): Promise<Receipt>
}

/** A damaged transfer may be tried so often; then the bytes themselves are at fault. */
const mostMismatches = 5
/** Pause after the disk did not take a record. */
const diskRetryMs = 5000

export class Courier {
  readonly #deps: CourierDeps
  readonly #signal: AbortSignal

  constructor(deps: CourierDeps, signal: AbortSignal) {
    this.#deps = deps
    this.#signal = signal
  }

  /**
   * Resolves when the parcel is delivered or refused for good, and recorded so.
   * @throws what is neither: the abort's reason, an error of the disk, a verdict that calls for another request
   */
  async deliver(parcel: Parcel): Promise<void> {
    try {
      const receipt = await this.request(`deliver ${parcel.item}`, () => parcel.send(this.#deps.accessor))
      crashPoint(parcel.item === 'log' ? 'delivery.log.sealed' : `delivery.${parcel.item}.sent`)
      const { late, epoch } = receipt
      await this.#record({ fact: 'delivered', ...labelOf(parcel), late, ...(epoch === undefined ? {} : { epoch }) })
    } catch (err) {
      const verdict = verdictOf(err)
      if (verdict === undefined) throw err
      await this.refuse(parcel, verdict)
    }
  }

  /**
   * Sends until there is an answer. That the server has no such attempt is recorded: it ends the delivery of the whole attempt.
   * @throws ServerRefused, an error of the disk, or the abort's reason
   */
  async request<T>(what: string, send: () => Promise<T>): Promise<T> {
    let mismatches = 0
    return this.#deps.retry.run(what, this.#signal, async () => {
      try {
        return await send()
      } catch (err) {
        const isDamage = err instanceof ServerRefused && err.code === 'checksum_mismatch'
        if (isDamage && ++mismatches >= mostMismatches) throw new DamagedForGood(err)
        if (err instanceof ServerRefused && err.code === 'unknown_attempt') await this.#endUnknown(err)
        throw err
      }
    })
  }

  /** Sets the parcel aside and records that nothing more is sent of it. */
  async refuse(parcel: Omit<Parcel, 'send'>, verdict: Verdict): Promise<void> {
    const { item, file, content } = parcel
    this.#deps.log.error(
      { item, code: verdict.code, reason: verdict.message },
      'never to be delivered whole, set aside',
    )
    await this.#persist(() => setAside(this.#deps.layout.quarantine, { item, file, content, ...verdict }))
    await this.#record({ fact: 'refused', ...labelOf(parcel), ...verdict })
  }

  async #endUnknown({ message, storeEpoch }: ServerRefused): Promise<void> {
    if (isUnknown(this.#deps.journal.facts)) return
    await this.#record({
      fact: 'unknownToServer',
      message,
      ...(storeEpoch === undefined ? {} : { epoch: storeEpoch }),
    })
  }

  async #record(fact: NewFact): Promise<void> {
    await this.#persist(() => this.#deps.journal.append(fact))
    crashPoint('delivery.recorded')
  }

  /** Until the disk takes it: sending again is harmless, forgetting an answer is not. */
  async #persist(write: () => Promise<void>): Promise<void> {
    while (!this.#signal.aborted) {
      try {
        await write()
        return
      } catch (err) {
        this.#deps.log.warn({ err }, 'acknowledgement cannot be recorded, trying again')
        await pause(diskRetryMs, this.#signal)
      }
    }
  }
}

export interface Verdict {
  code: string
  message: string
}

class DamagedForGood extends Error {
  readonly code = 'checksum_mismatch'
  constructor(cause: ServerRefused) {
    super(cause.message, { cause })
    this.name = 'DamagedForGood'
  }
}

/**
 * Why this will never be accepted; undefined when that is not said: `forbidden` can be put right by an operator, `offset_gap` by
 * sending what is missing, and `unknown_attempt` is said of the attempt, not of its data.
 */
export function verdictOf(err: unknown): Verdict | undefined {
  if (err instanceof ServerRefused && (err.isRetryable || notOfTheParcel.has(err.code))) return undefined
  if (err instanceof ServerRefused || err instanceof DamagedForGood) return { code: err.code, message: err.message }
  if (err instanceof Error && 'code' in err && err.code === 'ENOENT') {
    return { code: 'file_missing', message: `the file to send is gone: ${err.message}` }
  }
  return undefined
}

const notOfTheParcel: ReadonlySet<string> = new Set(['forbidden', 'unknown_attempt'])

function labelOf({ item, name }: { item: Item; name?: string }): { item: Item; name?: string } {
  return name === undefined ? { item } : { item, name }
}
