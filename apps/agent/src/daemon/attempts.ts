/** What runs here and what may: takes offers, holds a session per attempt, answers what the server wants of each. */
import { rm } from 'node:fs/promises'
import type { AgentMessage, CancelTask, DesiredTask, InventoryTask, LogAck, RunTask } from '@iac-agent/protocol'
import { assertNever } from '@iac-agent/protocol'
import type { Logger } from '@iac-agent/runtime'
import { first } from '../journal/attempt-facts.js'
import { crashPoint } from '../journal/crash-points.js'
import { Journal, readJournal } from '../journal/journal.js'
import { type AttemptLayout, attemptLayout, type DataLayout } from '../journal/layout.js'
import { TerraformError } from '../terraform/terraform-error.js'
import type { AttemptSession } from './attempt-session.js'
import { refusalOf } from './capacity.js'
import type { DaemonState } from './daemon-state.js'

export interface AttemptsParts {
  data: DataLayout
  workRoot: string
  planLimit: number
  state: DaemonState
  log: Logger
  /** Sends a message to the server, or drops it: the desired state is said again. */
  tell(message: AgentMessage): void
  /** Makes the session of an attempt whose first fact is journaled; throws TerraformError when the work directory is held. */
  openSession(layout: AttemptLayout, journal: Journal): Promise<AttemptSession>
}

export class Attempts {
  readonly #sessions = new Map<string, AttemptSession>()
  /** Offers that are being looked at: they count, or two could take one place. */
  readonly #reserved = new Map<string, RunTask['action']>()
  readonly #running = new Set<Promise<void>>()
  readonly #watched = new Set<number>()

  constructor(private readonly parts: AttemptsParts) {}

  /** Takes an offer or rejects it; the same offer again gets the same answer. */
  async offer(task: RunTask): Promise<void> {
    const key = keyOf(task.task_id, task.attempt)
    if (this.#reserved.has(key)) return
    if (this.#sessions.has(key)) return this.#accept(task)
    const refusal = refusalOf(
      { ...this.#load(), takesWork: this.parts.state.takesWork, planLimit: this.parts.planLimit },
      task.action,
    )
    if (refusal !== undefined) return this.#reject(task, refusal)
    this.#reserved.set(key, task.action)
    try {
      await this.#take(task)
    } catch (error) {
      this.parts.log.warn({ err: error, task_id: task.task_id }, 'offer rejected')
      this.#reject(
        task,
        error instanceof TerraformError ? error.code : `agent_fault: ${(error as Error).message}`.slice(0, 1000),
      )
    } finally {
      this.#reserved.delete(key)
    }
  }

  /** Goes on with an attempt that a former process left. */
  resume(session: AttemptSession): void {
    this.#start(session)
  }

  /** What the server wants of each attempt it knows us to have. */
  async desire(desired: readonly DesiredTask[]): Promise<void> {
    for (const { task_id, attempt, want } of desired) {
      const session = this.#sessions.get(keyOf(task_id, attempt))
      if (!session) continue // a `run` we do not know is followed by run_task; the rest is settled here
      switch (want) {
        case 'run':
          break
        case 'cancel':
          await session.attempt.cancel('operator')
          break
        case 'force_cancel':
          await session.attempt.cancel('force')
          break
        case 'forget':
          await session.attempt.cancel('forgotten')
          break
        default:
          assertNever(want)
      }
    }
  }

  async cancel({ task_id, attempt, force }: CancelTask): Promise<void> {
    for (const session of this.#of(task_id, attempt)) await session.attempt.cancel(force ? 'force' : 'operator')
  }

  /** First rung for everything that runs; for a host that goes away. */
  async cancelAll(): Promise<void> {
    for (const session of this.#sessions.values()) {
      if (session.isWorking) await session.attempt.cancel('shutdown')
    }
  }

  watch(taskId: number, isWatched: boolean): void {
    if (isWatched) this.#watched.add(taskId)
    else this.#watched.delete(taskId)
    for (const session of this.#of(taskId)) session.watch(isWatched)
  }

  acknowledgeLive({ task_id, attempt, next_offset }: LogAck): void {
    this.#sessions.get(keyOf(task_id, attempt))?.acknowledgeLive(next_offset)
  }

  inventory(): InventoryTask[] {
    return [...this.#sessions.values()].map((session) => session.inventory())
  }

  get isEmpty(): boolean {
    return this.#sessions.size === 0 && this.#reserved.size === 0
  }

  /** What is waited for, one line each; for status and drain. */
  get waitingFor(): { task_id: number; attempt: number; action: string; stage: string; unsent: string[] }[] {
    return [...this.#sessions.values()].map((session) => {
      const { task_id, attempt, action, stage } = session.inventory()
      return { task_id, attempt, action, stage, unsent: session.unsent() }
    })
  }

  /** Numbers for the heartbeat. */
  counts(): { planRunning: number; applyRunning: boolean; currentTasks: { task_id: number; attempt: number }[] } {
    const { planRunning, applyRunning } = this.#load()
    const currentTasks = [...this.#sessions.values()].map(({ attempt: { offered } }) => ({
      task_id: offered.taskId,
      attempt: offered.attempt,
    }))
    return { planRunning, applyRunning: applyRunning > 0, currentTasks }
  }

  /** Resolves when nothing runs and nothing is unsent (or the process leaves, which ends every session). */
  async whenEmpty(): Promise<void> {
    while (!this.isEmpty) await (this.#running.size > 0 ? Promise.race(this.#running) : new Promise(setImmediate))
  }

  /** Resolves when every session has ended, because the process leaves. */
  async ended(): Promise<void> {
    await Promise.all(this.#running)
  }

  async #take(task: RunTask): Promise<void> {
    const layout = attemptLayout(this.parts.data, task.task_id, task.attempt)
    if ((await readJournal(layout.journal)).length > 0) throw new Error(`${layout.root} holds this attempt already`)
    const journal = await Journal.open(layout.journal)
    try {
      await this.#journalOffer(journal, task)
      const session = await this.parts.openSession(layout, journal)
      crashPoint('offer.claimed')
      this.#start(session)
    } catch (error) {
      await journal[Symbol.asyncDispose]()
      await rm(layout.root, { recursive: true, force: true })
      throw error
    }
    this.#accept(task)
    crashPoint('offer.accepted')
  }

  async #journalOffer(journal: Journal, task: RunTask): Promise<void> {
    await journal.append({
      fact: 'offered',
      taskId: task.task_id,
      attempt: task.attempt,
      workspaceId: task.workspace_id,
      action: task.action,
      leaseToken: task.lease_token,
      leaseTtlMs: task.lease_ttl_ms,
      workRoot: this.parts.workRoot,
    })
    crashPoint('offer.journaled')
  }

  #start(session: AttemptSession): void {
    const { taskId, attempt } = session.attempt.offered
    const key = keyOf(taskId, attempt)
    this.#sessions.set(key, session)
    if (this.#watched.has(taskId)) session.watch(true)
    const running = this.#runToEnd(session).finally(() => {
      this.#sessions.delete(key)
      this.#running.delete(running)
    })
    this.#running.add(running)
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

  #load(): { planRunning: number; applyRunning: number } {
    const working = [...this.#sessions.values()].filter((session) => session.isWorking)
    const actions = [...this.#reserved.values(), ...working.map((session) => session.attempt.offered.action)]
    return {
      planRunning: actions.filter((action) => action === 'plan').length,
      applyRunning: actions.filter((action) => action === 'apply').length,
    }
  }

  #of(taskId: number, attempt?: number): AttemptSession[] {
    return [...this.#sessions.values()].filter(
      ({ attempt: { offered } }) => offered.taskId === taskId && (attempt === undefined || offered.attempt === attempt),
    )
  }

  #accept({ task_id, attempt }: RunTask): void {
    this.parts.tell({ type: 'task_accepted', payload: { task_id, attempt } })
  }

  #reject({ task_id, attempt }: RunTask, reason: string): void {
    this.parts.tell({ type: 'task_rejected', payload: { task_id, attempt, reason } })
  }
}

function keyOf(taskId: number, attempt: number): string {
  return `${taskId}-${attempt}`
}
