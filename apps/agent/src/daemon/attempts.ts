/** What runs here: holds a session per attempt until the server has all of it, and does what the server wants of each. */
import type { AgentMessage, CancelTask, DesiredTask, InventoryTask, LogAck, Phase } from '@iac-agent/protocol'
import { assertNever } from '@iac-agent/protocol'
import type { Logger } from '@iac-agent/runtime'
import { first, last } from '../journal/attempt-facts.js'
import type { Fact } from '../journal/attempt-record.js'
import type { AttemptSession } from './attempt-session.js'

/** Which attempt, as messages name it. */
export interface AttemptName {
  task_id: number
  attempt: number
}

export interface AttemptsParts {
  log: Logger
  /** Sends a message to the server, or drops it: hints only. */
  tell(message: AgentMessage): void
  /** A cancel got a step further: people are waiting to see it. */
  onCancelMoved(): void
}

export class Attempts {
  readonly #sessions = new Map<string, AttemptSession>()
  /** Offers that are being looked at: they count, or two could take one place. */
  readonly #reserved = new Map<string, Phase>()
  readonly #running = new Set<Promise<void>>()
  readonly #watched = new Set<number>()
  /** the life of the server's store, once it is known */
  #epoch: number | undefined
  #hasStarted = false
  #onEmpty: (() => void)[] = []
  #onStart: (() => void)[] = []

  constructor(private readonly parts: AttemptsParts) {}

  has(name: AttemptName): boolean {
    return this.#sessions.has(keyOf(name))
  }

  isReserved(name: AttemptName): boolean {
    return this.#reserved.has(keyOf(name))
  }

  /** Keeps a place until disposed. */
  reserve(name: AttemptName & { action: Phase }): Disposable {
    const key = keyOf(name)
    this.#reserved.set(key, name.action)
    return {
      [Symbol.dispose]: () => {
        this.#reserved.delete(key)
        this.#tellWhenEmpty()
      },
    }
  }

  /**
   * Runs a session to its end; the attempt is ours until then.
   * @param options.isResend nothing of it is left to do but to send it again
   * @returns resolves at its end
   */
  start(session: AttemptSession, { isResend = false } = {}): Promise<void> {
    const { taskId, attempt } = session.attempt.offered
    const key = keyOf({ task_id: taskId, attempt })
    this.#sessions.set(key, session)
    if (this.#epoch !== undefined) session.restored(this.#epoch) // resumed after the server was heard
    if (this.#watched.has(taskId)) session.watch(true)
    const unwatch = session.onCancelMoved(() => this.parts.onCancelMoved())
    const running = this.#runToEnd(session).finally(() => {
      unwatch()
      if (this.#sessions.get(key) === session) this.#sessions.delete(key)
      this.#running.delete(running)
      this.#tellWhenEmpty()
    })
    this.#running.add(running)
    if (!isResend) {
      this.#hasStarted = true
      for (const tell of this.#onStart.splice(0)) tell()
    }
    return running
  }

  /** An attempt was begun or resumed since this process started. */
  get hasStarted(): boolean {
    return this.#hasStarted
  }

  /** The server's store is in another life: what it acknowledged before is sent again. */
  restored(epoch: number): void {
    this.#epoch = epoch
    for (const session of this.#sessions.values()) session.restored(epoch)
  }

  /** How many of each kind need this host. */
  load(): { planRunning: number; applyRunning: number } {
    const working = [...this.#sessions.values()].filter((session) => session.isWorking)
    const actions = [...this.#reserved.values(), ...working.map((session) => session.attempt.offered.action)]
    const count = (phase: Phase) => actions.filter((action) => action === phase).length
    return { planRunning: count('plan'), applyRunning: count('apply') }
  }

  /** Does what the server wants of the attempts it knows us to have. */
  async desire(desired: readonly DesiredTask[]): Promise<void> {
    for (const { want, ...name } of desired) {
      const session = this.#sessions.get(keyOf(name))
      if (session === undefined || want === 'run') continue // a `run` we do not know is followed by run_task
      await session.attempt.cancel(reasonOf(want))
    }
  }

  async cancel({ task_id, attempt, force }: CancelTask): Promise<void> {
    for (const session of this.#of(task_id, attempt)) await session.attempt.cancel(force ? 'force' : 'operator')
  }

  /** First rung for everything that runs; for a host that goes away. */
  async cancelAll(): Promise<void> {
    for (const session of this.#sessions.values()) if (session.isWorking) await session.attempt.cancel('shutdown')
  }

  /** The disk is nearly full: every output that grows may lose lines. */
  async markTorn(): Promise<void> {
    await Promise.all([...this.#sessions.values()].map(({ attempt }) => attempt.markTornWhileRunning()))
  }

  watch(taskId: number, isWatched: boolean): void {
    if (isWatched) this.#watched.add(taskId)
    else this.#watched.delete(taskId)
    for (const session of this.#of(taskId)) session.watch(isWatched)
  }

  acknowledgeLive({ next_offset, ...name }: LogAck): void {
    this.#sessions.get(keyOf(name))?.acknowledgeLive(next_offset)
  }

  /** For `hello`: what another process has is not told of. */
  inventory(): InventoryTask[] {
    return [...this.#sessions.values()].filter(({ isOurs }) => isOurs).map((session) => session.inventory())
  }

  /** Programs that attempts of now run, or will. */
  programsInUse(): string[] {
    return [...this.#sessions.values()].flatMap(({ attempt }) => last(attempt.facts, 'engineFound')?.program ?? [])
  }

  /** What the server refused of those that are here. */
  refusals(): { attempt: string; facts: readonly Fact[]; quarantine: string }[] {
    return [...this.#sessions.entries()].map(
      ([
        attempt,
        {
          attempt: { facts, parts },
        },
      ]) => ({
        attempt,
        facts,
        quarantine: parts.layout.quarantine,
      }),
    )
  }

  /** What is waited for; for status and drain. */
  waitingFor(): (AttemptName & { action: string; stage: string; unsent: string[] })[] {
    return [...this.#sessions.values()].map((session) => {
      const { task_id, attempt, action, stage } = session.inventory()
      return { task_id, attempt, action, stage, unsent: session.unsent() }
    })
  }

  get isEmpty(): boolean {
    return this.#sessions.size === 0 && this.#reserved.size === 0
  }

  /** Resolves when the next attempt begins here. */
  whenStarted(): Promise<void> {
    return new Promise((resolve) => this.#onStart.push(resolve))
  }

  /** Resolves when nothing runs and nothing is unsent. */
  whenEmpty(): Promise<void> {
    if (this.isEmpty) return Promise.resolve()
    return new Promise((resolve) => this.#onEmpty.push(resolve))
  }

  /** Resolves when every session has ended, because the process leaves. */
  async ended(): Promise<void> {
    await Promise.all(this.#running)
  }

  #tellWhenEmpty(): void {
    if (!this.isEmpty) return
    for (const tell of this.#onEmpty.splice(0)) tell()
  }

  async #runToEnd(session: AttemptSession): Promise<void> {
    const { taskId: task_id, attempt } = session.attempt.offered
    try {
      await session.run()
    } catch (error) {
      this.parts.log.error({ err: error, task_id, attempt }, 'attempt given up, kept for the next start')
      return
    }
    const outcome = first(session.attempt.facts, 'outcome')
    if (!outcome) return // the process leaves
    const error = outcome.errorMessage === undefined ? {} : { error: outcome.errorMessage }
    const type = outcome.status === 'failed' ? 'task_failed' : 'task_completed'
    this.parts.tell({ type, payload: { task_id, attempt, ...error } })
  }

  #of(taskId: number, attempt?: number): AttemptSession[] {
    return [...this.#sessions.values()].filter(
      ({ attempt: { offered } }) => offered.taskId === taskId && (attempt === undefined || offered.attempt === attempt),
    )
  }
}

function keyOf({ task_id, attempt }: AttemptName): string {
  return `${task_id}-${attempt}`
}

function reasonOf(want: Exclude<DesiredTask['want'], 'run'>): 'operator' | 'force' | 'forgotten' {
  switch (want) {
    case 'cancel':
      return 'operator'
    case 'force_cancel':
      return 'force'
    case 'forget':
      return 'forgotten'
    default:
      return assertNever(want)
  }
}
