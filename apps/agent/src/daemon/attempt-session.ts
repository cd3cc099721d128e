/** One attempt while this process has it: its steps, its log and its delivery, side by side until all is acknowledged. */
import type { InventoryTask } from '@iac-agent/protocol'
import { pause } from '@iac-agent/runtime'
import { Delivery } from '../delivery/delivery.js'
import type { LiveChannel } from '../delivery/log-lane.js'
import { isAllSettled } from '../delivery/unsent.js'
import { first, has, last } from '../journal/attempt-facts.js'
import { crashPoint } from '../journal/crash-points.js'
import { LogWriter } from '../logs/log-writer.js'
import type { Spool } from '../logs/spool.js'
import { WholeSpool } from '../logs/whole-spool.js'
import { Attempt, type AttemptParts } from '../tasks/attempt.js'
import { cancelRung, watchCancel } from '../tasks/cancel-rung.js'
import { isAbandoned, nextStep, type Step } from '../tasks/next-step.js'
import { performStep } from '../tasks/perform-step.js'
import { ProgressWriter } from '../tasks/progress-writer.js'
import { runAttempt } from '../tasks/run-attempt.js'
import { stageOf } from '../tasks/stage-of.js'
import { sayNotOurs } from '../tasks/steps/start-gate.js'
import type { TerraformTools } from '../tasks/terraform-tools.js'
import { outputClosed, renderApplyLine } from './attempt-output.js'
import { type KeptAttempts, refusals } from './kept-attempts.js'
import { stripAttempt } from './kept-files.js'
import { ResendMark } from './resend-mark.js'

/** Between two tries of an attempt whose journal the disk refuses. */
const diskRetryMs = 2000

export class AttemptSession {
  readonly attempt: Attempt
  #delivery: Delivery | undefined
  #isWatched = false
  readonly #resend: ResendMark

  constructor(
    private readonly parts: AttemptParts,
    private readonly tools: TerraformTools,
    private readonly live: LiveChannel,
    private readonly kept: KeptAttempts,
  ) {
    this.attempt = new Attempt(parts)
    this.#resend = new ResendMark(parts.journal, (write) => this.#untilTheDiskAllows(write))
  }

  /** Terraform, or the way to it, still needs a place on this host. */
  get isWorking(): boolean {
    return !has(this.attempt.facts, 'released')
  }

  /** False once the server said that another process started this attempt. */
  get isOurs(): boolean {
    return !isAbandoned(this.attempt.facts)
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
    return watchCancel(this.parts.journal, tell)
  }

  /** What the server does not have yet; for `status` and drain. */
  unsent(): string[] {
    return this.#delivery?.unsent() ?? []
  }

  /** The server's store is in this life: what it acknowledged in an earlier one is sent again. */
  restored(epoch: number): void {
    this.#resend.saw(epoch)
  }

  /** Live lane on or off. */
  watch(isWatched: boolean): void {
    this.#isWatched = isWatched
    this.#delivery?.watch(isWatched)
  }

  acknowledgeLive(nextOffset: number): void {
    this.#delivery?.acknowledgeLive(nextOffset)
  }

  /** Resolves when the server has everything and what is not to be kept is gone, or this process leaves. */
  async run(): Promise<void> {
    try {
      await this.#runToEnd()
      if (!this.parts.leaving.aborted) await this.#leave()
    } finally {
      if (this.parts.leaving.aborted) await this.#letGo()
    }
  }

  async #runToEnd(): Promise<void> {
    const { journal, leaving } = this.parts
    if (!has(journal.facts, 'logWhole')) await this.#runAndDeliver()
    for (;;) {
      await this.#resend.marked
      if (leaving.aborted || isAbandoned(journal.facts) || isAllSettled(journal.facts)) break
      await this.#deliver()
    }
    this.#resend.end()
  }

  /** The run is over: what it left is sent (again). */
  async #deliver(): Promise<void> {
    const { layout, journal, leaving } = this.parts
    const whole = first(journal.facts, 'logWhole')
    if (whole === undefined) throw new Error('the attempt ended without its log')
    await this.#untilTheDiskAllows(() => stripAttempt(layout, journal.facts))
    await using spool = await WholeSpool.open(layout.spool, whole.sizeBytes)
    await this.#openDelivery(spool).run(leaving)
  }

  async #runAndDeliver(): Promise<void> {
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
    if (!this.isOurs) await sayNotOurs(this.attempt)
  }

  /** Steps, log and delivery at once; the latter two end early when the attempt turns out to be another process's. */
  async #runBeside(writer: LogWriter): Promise<void> {
    const { journal, leaving } = this.parts
    const over = new AbortController()
    const signal = AbortSignal.any([leaving, over.signal])
    const abortWhenAbandoned = () => {
      if (!this.isOurs) over.abort() // at once: the next stage told would make the server believe that we have it
    }
    const unwatch = journal.watch(({ fact }) => {
      abortWhenAbandoned()
      if (fact === 'exited') writer.hasten()
    })
    abortWhenAbandoned()
    const delivery = this.#openDelivery(writer.spool)
    const run = Promise.all([writer.run(signal, outputClosed(journal)), this.#advance()])
    try {
      await Promise.all([run.then(() => this.#strip(writer.spool)), delivery.run(signal)])
    } finally {
      unwatch()
    }
  }

  #openDelivery(spool: Spool): Delivery {
    const { journal, layout, accessor, retry, log } = this.parts
    const { taskId, attempt, action } = this.attempt.offered
    const identity = { taskId, attempt, phase: action }
    this.#delivery = new Delivery({ attempt: identity, layout, journal, spool, accessor, retry, live: this.live, log })
    this.#delivery.watch(this.#isWatched)
    return this.#delivery
  }

  /** The run is over and its log is text: inputs, raw output and secrets are not needed any more, however long delivery takes. */
  async #strip(spool: Spool): Promise<void> {
    const { journal, layout } = this.parts
    await this.#untilTheDiskAllows(async () => {
      if (spool.isEnded && !has(journal.facts, 'logWhole'))
        await journal.append({ fact: 'logWhole', sizeBytes: spool.durableBytes })
      crashPoint('attempt.whole')
      await stripAttempt(layout, journal.facts)
    })
    crashPoint('attempt.stripped')
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
    const { layout, ballast, log } = this.parts
    return await LogWriter.open({
      rawPath: layout.output,
      spoolPath: layout.spool,
      checkpointPath: layout.spoolCheckpoint,
      redaction: await this.attempt.redaction(),
      disk: ballast,
      onTextLost: () => this.attempt.markTorn(),
      log,
      ...(progress ? { render: (line, at, isCut) => renderApplyLine(progress, line, at, isCut) } : {}),
    })
  }

  async #openProgress(): Promise<ProgressWriter | undefined> {
    if (this.attempt.offered.action !== 'apply') return undefined
    return await ProgressWriter.open(this.parts.layout.progress, await this.attempt.redaction(), () =>
      this.#delivery?.progressed(),
    )
  }

  /** This process leaves: what keeps it alive is closed; terraform pauses at its next state save until the next start. */
  async #letGo(): Promise<void> {
    await this.attempt.closeBackend()
    await this.parts.journal[Symbol.asyncDispose]()
  }

  /** The server has it all, or will not have it: what becomes of the directory is the keeper's. */
  async #leave(): Promise<void> {
    const { journal, layout, log } = this.parts
    await journal[Symbol.asyncDispose]()
    const why = await this.kept.add(layout, journal.facts)
    crashPoint('attempt.left')
    const kept = layout.root
    if (why === 'started_elsewhere')
      log.error({ kept }, 'attempt was started by another process, nothing is told of it')
    if (why === 'unknown_to_server') log.warn({ kept }, 'the server does not know this attempt since its restore, kept')
    if (why === 'refused') log.warn({ kept, refused: refusals(journal.facts) }, 'an item was set aside, attempt kept')
  }
}
