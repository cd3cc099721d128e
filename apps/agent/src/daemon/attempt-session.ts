/** One attempt while this process has it: its steps, its log and its delivery, side by side until all is acknowledged. */
import { rm } from 'node:fs/promises'
import type { InventoryTask } from '@iac-agent/protocol'
import { pause } from '@iac-agent/runtime'
import { Delivery } from '../delivery/delivery.js'
import type { LiveChannel } from '../delivery/log-lane.js'
import { first, has, last, pendingRun } from '../journal/attempt-facts.js'
import { crashPoint } from '../journal/crash-points.js'
import type { Journal } from '../journal/journal.js'
import { LogWriter } from '../logs/log-writer.js'
import { Attempt, type AttemptParts } from '../tasks/attempt.js'
import { cancelRung } from '../tasks/cancel-rung.js'
import { isAbandoned, nextStep, type Step } from '../tasks/next-step.js'
import { performStep } from '../tasks/perform-step.js'
import { ProgressWriter } from '../tasks/progress-writer.js'
import { runAttempt } from '../tasks/run-attempt.js'
import { stageOf } from '../tasks/stage-of.js'
import type { TerraformTools } from '../tasks/terraform-tools.js'
import { renderCutLine, renderJsonLine } from '../terraform/render-event.js'

/** Between two tries of an attempt whose journal the disk refuses. */
const diskRetryMs = 2000

export class AttemptSession {
  readonly attempt: Attempt
  #delivery: Delivery | undefined
  #isWatched = false

  constructor(
    private readonly parts: AttemptParts,
    private readonly tools: TerraformTools,
    private readonly live: LiveChannel,
  ) {
    this.attempt = new Attempt(parts)
  }

  /** Terraform, or the way to it, still needs a place on this host. */
  get isWorking(): boolean {
    return !has(this.attempt.facts, 'released')
  }

  /** For `hello`: what the server should know of this attempt. */
  inventory(): InventoryTask {
    const { taskId, attempt, action } = this.attempt.offered
    const step = nextStep(this.attempt.facts)
    const rung = cancelRung(this.attempt.facts)
    const serial = last(this.attempt.facts, 'stateReceived')?.serial
    return {
      task_id: taskId,
      attempt,
      action,
      stage: step === undefined ? 'completed' : stageOf(step),
      log_length: this.#delivery?.logBytesAcknowledged ?? 0,
      ...(serial === undefined ? {} : { last_state_serial: serial }),
      ...(rung === undefined ? {} : { cancel_rung: rung }),
    }
  }

  /** Calls `tell` each time the cancel of this attempt gets a step further; returns how to stop. */
  onCancelMoved(tell: () => void): () => void {
    let told = cancelRung(this.attempt.facts)
    return this.parts.journal.watch(() => {
      const rung = cancelRung(this.attempt.facts)
      if (rung === told) return
      told = rung
      tell()
    })
  }

  /** What the server does not have yet; for `status` and drain. */
  unsent(): string[] {
    return this.#delivery?.unsent() ?? []
  }

  /** Recorded once, while terraform may write. */
  async markTorn(freeBytes: number): Promise<void> {
    const { journal } = this.parts
    if (pendingRun(journal.facts) === undefined || has(journal.facts, 'outputTorn')) return
    await journal.append({ fact: 'outputTorn', freeBytes })
  }

  /** Live lane on or off. */
  watch(isWatched: boolean): void {
    this.#isWatched = isWatched
    this.#delivery?.watch(isWatched)
  }

  acknowledgeLive(nextOffset: number): void {
    this.#delivery?.acknowledgeLive(nextOffset)
  }

  /** Resolves when the server has everything and the directory is gone, or this process leaves. */
  async run(): Promise<void> {
    try {
      await this.#runToEnd()
    } finally {
      if (this.parts.leaving.aborted) await this.#letGo()
    }
  }

  async #runToEnd(): Promise<void> {
    const { leaving } = this.parts
    await this.#advance((next) => next !== 'fetch')
    const progress = await this.#untilTheDiskAllows(() => this.#openProgress())
    const writer = await this.#untilTheDiskAllows(() => this.#openWriter(progress))
    if (!writer) return
    try {
      await this.#runBeside(writer)
    } finally {
      await writer[Symbol.asyncDispose]()
      progress?.[Symbol.dispose]()
    }
    if (!leaving.aborted) await this.#leaveNothing()
  }

  /** Steps, log and delivery at once; the latter two end early when the attempt turns out to be another process's. */
  async #runBeside(writer: LogWriter): Promise<void> {
    const { journal, layout, accessor, retry, leaving, log } = this.parts
    const { taskId, attempt, action } = this.attempt.offered
    const over = new AbortController()
    const signal = AbortSignal.any([leaving, over.signal])
    const identity = { taskId, attempt, phase: action }
    this.#delivery = new Delivery({
      attempt: identity,
      layout,
      journal,
      spool: writer.spool,
      accessor,
      retry,
      live: this.live,
      log,
    })
    this.#delivery.watch(this.#isWatched)
    const steps = this.#advance().then(() => {
      if (isAbandoned(journal.facts)) over.abort()
    })
    await Promise.all([writer.run(signal, outputClosed(journal)), this.#delivery.run(signal), steps])
  }

  #advance(until?: (next: Step) => boolean): Promise<void> {
    return this.#untilTheDiskAllows(() => runAttempt(this.attempt, (step) => this.#perform(step), until))
  }

  /** Facts are what everything hangs on: a disk that refuses them is waited for. Undefined when the process leaves. */
  async #untilTheDiskAllows<T>(body: () => Promise<T>): Promise<T | undefined> {
    const { leaving, log } = this.parts
    while (!leaving.aborted) {
      try {
        return await body()
      } catch (error) {
        log.error({ err: error }, 'attempt cannot be recorded, trying again')
        await pause(diskRetryMs, leaving)
      }
    }
    return undefined
  }

  async #perform(step: Step): Promise<void> {
    this.#delivery?.stage(stageOf(step))
    await performStep(this.attempt, this.tools, step)
  }

  async #openWriter(progress: ProgressWriter | undefined): Promise<LogWriter> {
    const { layout, log } = this.parts
    return await LogWriter.open({
      rawPath: layout.output,
      spoolPath: layout.spool,
      checkpointPath: layout.spoolCheckpoint,
      redaction: await this.attempt.redaction(),
      log,
      ...(progress ? { render: (line, at, isCut) => renderApplyLine(progress, line, at, isCut) } : {}),
    })
  }

  async #openProgress(): Promise<ProgressWriter | undefined> {
    if (this.attempt.offered.action !== 'apply') return undefined
    return await ProgressWriter.open(this.parts.layout.progress, await this.attempt.redaction(), () =>
      this.#delivery?.wake(),
    )
  }

  /** This process leaves: what keeps it alive is closed; terraform pauses at its next state save until the next start. */
  async #letGo(): Promise<void> {
    await this.attempt.closeBackend()
    await this.parts.journal[Symbol.asyncDispose]()
  }

  /** The server has it all: nothing of the attempt stays, unless it refused something a person may want. */
  async #leaveNothing(): Promise<void> {
    const { journal, layout, log } = this.parts
    await journal[Symbol.asyncDispose]()
    if (isAbandoned(journal.facts)) {
      log.error({ kept: layout.root }, 'attempt was started by another process, nothing is told of it')
      return
    }
    const refused = first(journal.facts, 'refused')
    if (refused) {
      log.warn({ item: refused.item, code: refused.code, kept: layout.root }, 'an item was set aside, attempt kept')
      return
    }
    await rm(layout.root, { recursive: true, force: true })
    crashPoint('attempt.removed')
  }
}

/** The line as people read it; init's lines pass as they are. */
function renderApplyLine(progress: ProgressWriter, line: string, at: number, isCut: boolean): string | undefined {
  if (isCut) return renderCutLine(line)
  if (!line.startsWith('{"@level":')) return undefined
  progress.take(line, at)
  return renderJsonLine(line) ?? ''
}

/** Resolves with the length of the raw output once nothing is added to it any more. */
function outputClosed(journal: Journal): Promise<number> {
  const closed = first(journal.facts, 'outputClosed')
  if (closed) return Promise.resolve(closed.sizeBytes)
  return new Promise((resolve) => {
    const stop = journal.watch((fact) => {
      if (fact.fact !== 'outputClosed') return
      stop()
      resolve(fact.sizeBytes)
    })
  })
}
