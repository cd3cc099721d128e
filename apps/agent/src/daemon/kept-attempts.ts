/** The attempts that are over here and whose directories are still kept, and why. What is on disk is the truth; this is its index. */
import { basename } from 'node:path'
import { isAllSettled, isOfEarlierLife, isUnknown } from '../delivery/unsent.js'
import { all, has } from '../journal/attempt-facts.js'
import type { Fact } from '../journal/attempt-record.js'
import type { AttemptLayout } from '../journal/layout.js'
import { isAbandoned } from '../tasks/next-step.js'
import { removeAttempt } from './remove-attempt.js'
import { treeBytes } from './tree-bytes.js'

/** Why a directory is kept. */
export type WhyKept =
  /** the server has all of it; kept for a while in case the server loses it */
  | 'acknowledged'
  /** the server refused an item for good; a day, for a person */
  | 'refused'
  /** another process started this attempt (a copied data directory); a day, for a person */
  | 'started_elsewhere'
  /** the server does not know it since it was restored; until a person removes it */
  | 'unknown_to_server'
  /** its journal cannot be read; until a person removes it */
  | 'unreadable'

export interface KeptAttempt {
  /** `<task>-<attempt>` */
  readonly name: string
  readonly layout: AttemptLayout
  readonly why: WhyKept
  /** of its end here, by `Clock.monotonic`: setting the host's clock makes nothing older */
  readonly since: number
  readonly sizeBytes: number
  readonly facts: readonly Fact[]
}

const dayMs = 24 * 60 * 60 * 1000
const forPersonMs = {
  refused: dayMs,
  started_elsewhere: dayMs,
  unknown_to_server: Number.POSITIVE_INFINITY,
  unreadable: Number.POSITIVE_INFINITY,
}

/** Of its last event; 0 when it cannot be read. */
function endOf(facts: readonly Fact[]): number {
  return Date.parse(facts.at(-1)?.at ?? '') || 0
}

/** Why an attempt would be kept; undefined while it is not over: something runs, or is unsent. Pure. */
export function whyKept(facts: readonly Fact[]): WhyKept | undefined {
  if (isAbandoned(facts)) return has(facts, 'released') ? 'started_elsewhere' : undefined
  if (!has(facts, 'logWhole') || !isAllSettled(facts)) return undefined
  if (isUnknown(facts)) return 'unknown_to_server'
  return has(facts, 'refused') ? 'refused' : 'acknowledged'
}

export class KeptAttempts {
  readonly #kept = new Map<string, KeptAttempt>()
  #onAdd: () => void = () => undefined

  /**
   * @param keepMs how long what is acknowledged stays; 0: not at all
   * @param now `Clock.monotonic`
   */
  constructor(
    readonly keepMs: number,
    private readonly now: () => number,
  ) {}

  onAdd(listener: () => void): void {
    this.#onAdd = listener
  }

  /** An attempt is over. Its directory is kept, or removed when nothing asks for it. */
  async add(layout: AttemptLayout, facts: readonly Fact[]): Promise<WhyKept | undefined> {
    return await this.#keep(layout, facts, () => this.now())
  }

  /**
   * An attempt was over when this process began. How old it is only the clocks of then and now can tell, and one of them may have been
   * wrong: so it counts as at most half as old as it may get, and as no younger than it can be.
   */
  async find(layout: AttemptLayout, facts: readonly Fact[]): Promise<void> {
    const now = this.now()
    await this.#keep(layout, facts, (why) => Math.min(now, Math.max(endOf(facts), now - this.lifeMs(why) / 2)))
  }

  findUnreadable(layout: AttemptLayout): Promise<void> {
    return this.#put(layout, [], 'unreadable', 0)
  }

  /** How long one that is kept for this reason stays; Infinity: until a person removes it. */
  lifeMs(why: WhyKept): number {
    return why === 'acknowledged' ? this.keepMs : forPersonMs[why]
  }

  /** Oldest first. */
  list(): KeptAttempt[] {
    return [...this.#kept.values()].sort((one, other) => one.since - other.since)
  }

  has(name: string): boolean {
    return this.#kept.has(name)
  }

  /** Those acknowledged in an earlier life of the server's store, newest first. */
  ofEarlierLife(epoch: number): KeptAttempt[] {
    const isAsked = ({ why, facts }: KeptAttempt) => why !== 'started_elsewhere' && isOfEarlierLife(facts, epoch)
    return this.list().filter(isAsked).reverse()
  }

  /** From here on somebody else has it. */
  take(kept: KeptAttempt): void {
    this.#kept.delete(kept.name)
  }

  giveBack(kept: KeptAttempt): void {
    this.#kept.set(kept.name, kept)
  }

  async remove(kept: KeptAttempt): Promise<void> {
    this.take(kept)
    await removeAttempt(kept.layout)
  }

  async #keep(
    layout: AttemptLayout,
    facts: readonly Fact[],
    since: (why: WhyKept) => number,
  ): Promise<WhyKept | undefined> {
    const why = whyKept(facts)
    if (why === undefined) return undefined
    if (why === 'acknowledged' && this.keepMs === 0) await removeAttempt(layout)
    else await this.#put(layout, facts, why, since(why))
    return why
  }

  async #put(layout: AttemptLayout, facts: readonly Fact[], why: WhyKept, since: number): Promise<void> {
    const name = basename(layout.root)
    const sizeBytes = await treeBytes(layout.root)
    this.#kept.set(name, { name, layout, why, since, sizeBytes, facts: essential(facts) })
    this.#onAdd()
  }
}

/** Memory for thousands of them: only what is asked of a kept attempt. */
function essential(facts: readonly Fact[]): Fact[] {
  return facts.filter(({ fact }) => asked.has(fact))
}

const asked: ReadonlySet<Fact['fact']> = new Set(['delivered', 'refused', 'unknownToServer', 'resend'])

/** What the server refused of it. */
export function refusals(facts: readonly Fact[]): { item: string; code: string; message: string }[] {
  return all(facts, 'refused').map(({ item, code, message }) => ({ item, code, message }))
}
