/**
 * Offers kept attempts to the server again when its store was restored from a backup: it may have lost what it acknowledged. The
 * newest first, a few at a time; nothing is run for it.
 */
import type { Logger } from '@iac-agent/runtime'
import { crashPoint } from '../journal/crash-points.js'
import { Journal } from '../journal/journal.js'
import type { Attempts } from './attempts.js'
import type { KeptAttempt, KeptAttempts } from './kept-attempts.js'
import type { SessionFactory } from './session-factory.js'
import type { StoreLife } from './store-life.js'

export interface ResenderParts {
  kept: KeptAttempts
  attempts: Attempts
  sessions: SessionFactory
  life: StoreLife
  leaving: AbortSignal
  log: Logger
}

/** Attempts that are sent again at once. */
const mostAtOnce = 4

export class Resender {
  /** could not be taken up in this life; the next start tries again */
  readonly #failed = new Set<string>()
  #active = 0

  constructor(private readonly parts: ResenderParts) {
    parts.kept.onAdd(() => this.wake())
    parts.life.onNew(() => this.wake())
  }

  /** Looks for kept attempts of an earlier life. */
  wake(): void {
    const { kept, life, leaving } = this.parts
    if (life.epoch === undefined || leaving.aborted) return
    const waiting = kept.ofEarlierLife(life.epoch).filter(({ name }) => !this.#failed.has(name))
    for (const next of waiting.slice(0, mostAtOnce - this.#active)) void this.#send(next, life.epoch)
  }

  /** The server asks for an attempt that is kept. False when it is not of an earlier life, or cannot be taken up. */
  async sendNow(name: string): Promise<boolean> {
    const { kept, life } = this.parts
    const found = life.epoch === undefined ? undefined : kept.ofEarlierLife(life.epoch).find((one) => one.name === name)
    if (found === undefined || life.epoch === undefined) return false
    return (await this.#takeUp(found, life.epoch)) !== undefined
  }

  async #send(next: KeptAttempt, epoch: number): Promise<void> {
    this.#active++
    const running = await this.#takeUp(next, epoch)
    await running?.over
    this.#active--
    this.wake()
  }

  async #takeUp(next: KeptAttempt, epoch: number): Promise<{ over: Promise<void> } | undefined> {
    const { kept, attempts, sessions, log } = this.parts
    kept.take(next)
    let journal: Journal | undefined
    try {
      journal = await Journal.open(next.layout.journal)
      await journal.append({ fact: 'resend', epoch })
      crashPoint('resend.recorded')
      log.info({ attempt: next.name, store_epoch: epoch }, 'attempt is sent again')
      return { over: attempts.start(await sessions.reopen(next.layout, journal), { isResend: true }) }
    } catch (error) {
      await journal?.[Symbol.asyncDispose]()
      this.#failed.add(next.name)
      kept.giveBack(next)
      log.error({ err: error, attempt: next.name }, 'kept attempt cannot be sent again')
      return undefined
    }
  }
}
