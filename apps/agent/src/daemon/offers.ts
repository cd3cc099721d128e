/** Takes or rejects what the server offers: journaled, work directory claimed, then accepted. */
import type { AgentMessage, RunTask, Shortage } from '@iac-agent/protocol'
import type { Logger } from '@iac-agent/runtime'
import type { Ballast } from '../journal/ballast.js'
import { crashPoint } from '../journal/crash-points.js'
import { Journal } from '../journal/journal.js'
import { type AttemptLayout, attemptLayout, type DataLayout } from '../journal/layout.js'
import { placeOf } from '../journal/place.js'
import { TerraformError } from '../terraform/terraform-error.js'
import type { AttemptSession } from './attempt-session.js'
import type { Attempts } from './attempts.js'
import { refusalOf } from './capacity.js'
import type { DaemonState } from './daemon-state.js'
import type { KeptAttempts } from './kept-attempts.js'
import { removeAttempt } from './remove-attempt.js'
import type { Resender } from './resender.js'

export interface OffersParts {
  data: DataLayout
  workRoot: string
  planLimit: number
  state: DaemonState
  attempts: Attempts
  kept: KeptAttempts
  resender: Resender
  guard: { readonly shortage: Shortage | undefined }
  ballast: Ballast
  log: Logger
  /** Sends a message to the server, or drops it: an offer without answer is made again. */
  tell(message: AgentMessage): void
  /** Makes the session of an attempt whose first fact is journaled; throws TerraformError when the work directory is held. */
  openSession(layout: AttemptLayout, journal: Journal): Promise<AttemptSession>
}

const longestReason = 1000

export class Offers {
  constructor(private readonly parts: OffersParts) {}

  /** The same offer again gets the same answer. */
  async take(task: RunTask): Promise<void> {
    const { attempts, kept, state, guard, planLimit } = this.parts
    if (attempts.isReserved(task)) return
    if (attempts.has(task)) return this.#accept(task)
    if (kept.has(nameOf(task))) return await this.#takeKept(task)
    const isDegraded = guard.shortage !== undefined
    const refusal = refusalOf({ ...attempts.load(), takesWork: state.takesWork, planLimit, isDegraded }, task.action)
    if (refusal !== undefined) return this.#reject(task, refusal)
    using _place = attempts.reserve(task)
    try {
      void attempts.start(await this.#open(task))
    } catch (error) {
      this.#reject(task, reasonOf(error))
      this.parts.log.warn({ err: error, task_id: task.task_id, attempt: task.attempt }, 'offer rejected')
      return
    }
    this.#accept(task)
    crashPoint('offer.accepted')
  }

  /** The server asks for what it had before it was restored: nothing is run again, what was kept is sent. */
  async #takeKept(task: RunTask): Promise<void> {
    using _place = this.parts.attempts.reserve(task)
    if (await this.parts.resender.sendNow(nameOf(task))) this.#accept(task)
    else this.#reject(task, 'agent_fault: this attempt is over here')
  }

  async #open(task: RunTask): Promise<AttemptSession> {
    const layout = attemptLayout(this.parts.data, task.task_id, task.attempt)
    const journal = await Journal.open(layout.journal, this.parts.ballast)
    if (journal.facts.length > 0) {
      await journal[Symbol.asyncDispose]()
      throw new Error(`${layout.root} holds this attempt already`)
    }
    try {
      await this.#journalOffer(layout, journal, task)
      const session = await this.parts.openSession(layout, journal)
      crashPoint('offer.claimed')
      return session
    } catch (error) {
      await journal[Symbol.asyncDispose]()
      await removeAttempt(layout)
      throw error
    }
  }

  async #journalOffer(layout: AttemptLayout, journal: Journal, task: RunTask): Promise<void> {
    await journal.append({
      fact: 'offered',
      taskId: task.task_id,
      attempt: task.attempt,
      workspaceId: task.workspace_id,
      action: task.action,
      leaseToken: task.lease_token,
      leaseTtlMs: task.lease_ttl_ms,
      workRoot: this.parts.workRoot,
      place: placeOf(layout),
    })
    crashPoint('offer.journaled')
  }

  #accept({ task_id, attempt }: RunTask): void {
    this.parts.tell({ type: 'task_accepted', payload: { task_id, attempt } })
  }

  #reject({ task_id, attempt }: RunTask, reason: string): void {
    this.parts.tell({ type: 'task_rejected', payload: { task_id, attempt, reason } })
  }
}

function nameOf({ task_id, attempt }: RunTask): string {
  return `${task_id}-${attempt}`
}

function reasonOf(error: unknown): string {
  if (error instanceof TerraformError) return error.code
  return `agent_fault: ${error instanceof Error ? error.message : String(error)}`.slice(0, longestReason)
}
