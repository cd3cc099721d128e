/**
 * The one loop that makes progress: takes back unanswered offers, ends leases, repeats cancels, places what waits. Events only
 * wake it; everything it does follows from the database, so a lost event costs at most a second.
 */
import { type Clock, type Logger, Loop } from '@iac-agent/runtime'
import { type OpenAttemptRow, openAttemptsToMind } from '../store/attempt-rows.js'
import { countLiveLeases, extendAllLeases, leasesOver, renewAllLeases } from '../store/lease-rows.js'
import type { Change, Store } from '../store/store.js'
import { endLease } from './attempts/end-lease.js'
import { judgeLateness, SweepAlarm, SweepBudget } from './attempts/lease-sweep.js'
import { type Offer, offerAttempt } from './attempts/offer-attempt.js'
import { type OfferTimeouts, withdrawOffers } from './attempts/withdraw-offers.js'
import { placeTasks } from './placement.js'
import { loadPlacementView } from './placement-view.js'
import type { AgentLink } from './ports.js'
import { endUnreported } from './tasks/unreported-end.js'

export interface ReconcilerOptions extends OfferTimeouts {
  readonly store: Store
  readonly clock: Clock
  readonly link: AgentLink
  readonly logger: Logger
  readonly heartbeatIntervalMs: number
  readonly leaseTtlMs: number
}

const slowestMs = 1_000
const none: ReadonlySet<number> = new Set()

export class Reconciler {
  readonly #options: ReconcilerOptions
  readonly #loop: Loop
  readonly #budget = new SweepBudget()
  readonly #alarm = new SweepAlarm()
  /** when each cancel was last sent, or first seen here, by `task/attempt` */
  readonly #cancelsSent = new Map<string, number>()
  /** after a start, and after the database was away, every lease gets a full TTL before any is ended */
  #owesFullTtl: boolean = true
  readonly #everyMs: number
  #dueAt = Number.POSITIVE_INFINITY
  #holdUntil = 0
  #offering: ReadonlySet<number> = none

  constructor(options: ReconcilerOptions) {
    this.#options = options
    this.#everyMs = Math.min(slowestMs, options.leaseTtlMs / 4, options.offerTimeoutMs / 4)
    const onError = (err: unknown) => options.logger.error({ err }, 'reconciler pass failed')
    this.#loop = new Loop({ everyMs: () => this.#untilDueMs(), body: () => this.#look(), onError })
  }

  /** Passes until `signal` aborts; resolves when the last pass is over. */
  async run(signal: AbortSignal): Promise<void> {
    const unsubscribe = this.#options.store.changes.subscribe((changes) => {
      if (changes.some((change) => this.#mattersHere(change))) this.#loop.wake()
    })
    try {
      await this.#loop.run(signal)
    } finally {
      unsubscribe()
    }
  }

  /** What events tell of is whether something can be placed; the rest is a matter of time, and waits for its own. */
  async #look(): Promise<void> {
    if (this.#owesFullTtl || this.#untilDueMs() === 0) return this.pass()
    try {
      await this.#place(this.#options.clock.now())
    } catch (err) {
      this.#owesFullTtl = true
      throw err
    }
  }

  #untilDueMs(): number {
    const leftMs = this.#dueAt - this.#options.clock.monotonic()
    return Math.max(0, Math.min(leftMs, this.#everyMs))
  }

  /** One pass; whatever it finds undone is done, so any number of passes is as good as one. */
  async pass(): Promise<void> {
    try {
      await this.#pass()
    } catch (err) {
      this.#owesFullTtl = true
      this.#dueAt = this.#options.clock.monotonic() + this.#everyMs // tried again then, not at once
      throw err
    }
  }

  async #pass(): Promise<void> {
    const { store, clock, logger } = this.#options
    const startedAt = clock.monotonic()
    await this.#guardLeases(startedAt)
    const open = await store.read(openAttemptsToMind)
    for (const offer of await withdrawOffers(this.#options, open)) {
      logger.warn({ task_id: offer.task_id, attempt: offer.number, agent_id: offer.agent_id }, 'offer not answered')
    }
    for (const task_id of await endUnreported(this.#options, open)) logger.warn({ task_id }, 'status not reported')
    await this.#endLeases(startedAt)
    this.#repeatCancels(open, clock.monotonic())
    await this.#place(clock.now())
    this.#dueAt = startedAt + this.#everyMs
  }

  /** Whoever was away, it was not the agents. Time that a pass itself loses (stopped, a slow disk) makes the next one late. */
  async #guardLeases(now: number): Promise<void> {
    const { store, heartbeatIntervalMs, logger } = this.#options
    if (this.#owesFullTtl) {
      const leases = await store.transaction('renew_leases', (tx) => renewAllLeases(tx, now))
      this.#owesFullTtl = false
      if (leases > 0) logger.info({ leases }, 'leases given a full ttl')
      return
    }
    const late = judgeLateness(this.#dueAt, now, heartbeatIntervalMs)
    if (late === undefined) return
    await store.transaction('extend_leases', (tx) => extendAllLeases(tx, late.extendByMs))
    this.#holdUntil = late.holdUntil
    logger.warn({ late_ms: late.extendByMs }, 'reconciler ran late: leases extended')
  }

  /** @param now when the pass began: what was over then was over while the server was awake */
  async #endLeases(now: number): Promise<void> {
    if (now < this.#holdUntil) return
    const { store, logger } = this.#options
    const { over, live } = await store.read(async (reader) => {
      const found = await leasesOver(reader, now)
      return { over: found, live: found.length === 0 ? 0 : await countLiveLeases(reader) }
    })
    const allowed = over.slice(0, this.#budget.available(live, now))
    this.#sayAlarm(this.#alarm.judge(over.length - allowed.length, now), { over: over.length, live })
    for (const lease of allowed) {
      const done = await endLease(this.#options, lease)
      if (done === undefined) continue
      this.#budget.spend(1, now)
      logger.warn({ task_id: lease.task_id, attempt: lease.number, agent_id: lease.agent_id, done }, 'lease over')
    }
  }

  #sayAlarm(said: ReturnType<SweepAlarm['judge']>, facts: { over: number; live: number }): void {
    if (said === 'raise') this.#options.logger.error(facts, 'many leases over at once: the rest waits')
    if (said === 'clear') this.#options.logger.warn('no lease waits for its end any more')
  }

  #repeatCancels(open: readonly OpenAttemptRow[], now: number): void {
    const { link, heartbeatIntervalMs } = this.#options
    const asked = open.filter((row) => row.state === 'live' && row.cancel_requested_at !== null)
    const keys = new Set(asked.map(keyOf))
    for (const key of this.#cancelsSent.keys()) if (!keys.has(key)) this.#cancelsSent.delete(key)
    for (const row of asked) {
      const sentAt = this.#cancelsSent.get(keyOf(row))
      if (sentAt === undefined) this.#cancelsSent.set(keyOf(row), now) // whoever asked for it has sent it
      if (sentAt === undefined || now - sentAt < heartbeatIntervalMs) continue
      const isSent = link.cancelTaskOnAgent(row.agent_id, row.task_id, {
        attempt: row.number,
        force: row.cancel_force === 1,
      })
      if (isSent) this.#cancelsSent.set(keyOf(row), now)
    }
  }

  async #place(now: number): Promise<void> {
    const { store, link } = this.#options
    let connected: ReadonlySet<string> | undefined // asked for only when something waits
    const isConnected = ({ id }: { id: string }) => {
      connected ??= new Set(link.getConnectedAgents())
      return connected.has(id)
    }
    const view = await store.read((reader) => loadPlacementView(reader, now, isConnected))
    const { placements } = placeTasks(view)
    this.#offering = new Set(placements.map(({ taskId }) => taskId))
    try {
      const offers = await Promise.all(placements.map((one) => offerAttempt(this.#options, one)))
      for (const offer of offers) if (offer !== undefined) this.#send(offer)
    } finally {
      this.#offering = none
    }
  }

  /** That this very pass offers a task makes no room for another. */
  #mattersHere(change: Change): boolean {
    if (change.kind === 'task') return !this.#offering.has(change.taskId)
    return change.kind === 'agent' || change.kind === 'workspace'
  }

  /** A message that gets lost is repeated when the agent says hello; else the offer is withdrawn. */
  #send({ agentId, taskId, workspaceId, phase, lease }: Offer): void {
    const isSent = this.#options.link.sendTaskToAgent(agentId, taskId, workspaceId, phase, lease)
    const facts = { agent_id: agentId, task_id: taskId, phase, attempt: lease.attempt, is_sent: isSent }
    this.#options.logger.info(facts, 'task offered')
  }
}

function keyOf(row: OpenAttemptRow): string {
  return `${row.task_id}/${row.number}`
}
