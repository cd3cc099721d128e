/** One attempt as its steps see it: its facts, its files, its server, and whether somebody wants it to stop. */
import { createHmac } from 'node:crypto'
import { appendFile, readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { parse, TaskData } from '@iac-agent/protocol'
import { type Logger, writeFileAtomic } from '@iac-agent/runtime'
import { first, has, pendingRun } from '../journal/attempt-facts.js'
import type { CancelReason, Offered, StateOrigin } from '../journal/attempt-record.js'
import type { Ballast } from '../journal/ballast.js'
import { crashPoint } from '../journal/crash-points.js'
import type { Journal } from '../journal/journal.js'
import type { AttemptLayout } from '../journal/layout.js'
import { compileRedaction, type Redaction } from '../logs/redactor.js'
import { secretValues } from '../logs/secret-values.js'
import type { DataAccessor } from '../server-api/data-accessor.js'
import type { Retry } from '../server-api/retry.js'
import type { StateBackend } from '../state/state-backend.js'
import type { StoredState } from '../state/stored-state.js'
import type { WorkDirectory } from '../terraform/work-directory.js'

/** Everything an attempt is made of; built by the daemon. */
export interface AttemptParts {
  layout: AttemptLayout
  journal: Journal
  accessor: DataAccessor
  retry: Retry
  work: WorkDirectory
  ballast: Ballast
  log: Logger
  /** Aborts when this process leaves; terraform goes on. */
  leaving: AbortSignal
}

export class Attempt {
  readonly offered: Offered
  /** Open while terraform may need it; closed by the release step. */
  backend: StateBackend | undefined
  readonly #cancel = new AbortController()
  #data: TaskData | undefined
  #redaction: Redaction | undefined

  constructor(readonly parts: AttemptParts) {
    const offered = first(parts.journal.facts, 'offered')
    if (!offered) throw new Error(`${parts.layout.journal} does not begin with an offer`)
    this.offered = offered
    if (has(parts.journal.facts, 'cancelRequested')) this.#cancel.abort()
  }

  get facts() {
    return this.parts.journal.facts
  }

  /** Aborts when the attempt is to stop, or the process leaves: for waits that nothing is lost by giving up. */
  get stopping(): AbortSignal {
    return AbortSignal.any([this.#cancel.signal, this.parts.leaving])
  }

  /** Records that somebody wants the attempt to stop; the ladder follows the journal. The same reason twice is once. */
  async cancel(reason: CancelReason): Promise<void> {
    if (
      has(this.facts, 'outcome') ||
      this.facts.some((fact) => fact.fact === 'cancelRequested' && fact.reason === reason)
    )
      return
    await this.parts.journal.append({ fact: 'cancelRequested', reason })
    this.#cancel.abort()
  }

  /** Puts the data document on disk, and answers it. */
  async keepData(data: TaskData): Promise<TaskData> {
    await writeFileAtomic(this.parts.layout.data, JSON.stringify(data))
    this.#data = data
    return data
  }

  /** The data document, read from disk by a process that did not put it there. */
  async data(): Promise<TaskData> {
    this.#data ??= parse(TaskData, JSON.parse(await readFile(this.parts.layout.data, 'utf8')), this.parts.layout.data)
    return this.#data
  }

  /** Of the loopback state backend; terraform's children see it. Known before anything is logged, so that it is never shown. */
  get backendPassword(): string {
    return createHmac('sha256', this.offered.leaseToken).update('state backend').digest('base64url')
  }

  /** What must never leave this host in clear; empty before the data document is here. */
  async redaction(): Promise<Redaction> {
    if (!has(this.facts, 'fetched')) return compileRedaction([])
    this.#redaction ??= compileRedaction([...secretValues((await this.data()).variables), this.backendPassword])
    return this.#redaction
  }

  /** Records a state that is durable in the attempt's states directory. */
  async recordState(state: StoredState, origin: StateOrigin): Promise<void> {
    const { path, serial, sha256, foreign } = state
    await this.parts.journal.append({
      fact: 'stateReceived',
      file: basename(path),
      origin,
      serial,
      sha256,
      isOurs: !foreign,
    })
    crashPoint('state.recorded')
  }

  /** The disk is low: what terraform writes now may be lost. */
  async markTornWhileRunning(): Promise<void> {
    if (pendingRun(this.facts)) await this.markTorn()
  }

  /** Text of this attempt may be missing: its log is never sealed. Recorded once. */
  async markTorn(): Promise<void> {
    const { journal, ballast } = this.parts
    if (!has(journal.facts, 'outputTorn')) await journal.append({ fact: 'outputTorn', freeBytes: ballast.freeBytes })
  }

  /** Idempotent: terraform has ended, or never began. */
  async closeBackend(): Promise<void> {
    const { backend } = this
    this.backend = undefined
    await backend?.close()
  }

  /** Adds a line of the agent's own to the task's log; only while no command is running. */
  async note(text: string): Promise<void> {
    await appendFile(this.parts.layout.output, `${text}\n`, { mode: 0o600 })
  }
}
