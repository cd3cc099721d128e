/**
 * The seed's log uploader: sends the spool's durable bytes, incremental, one request in flight, from the offset the server holds. While
 * somebody watches, the same bytes go as live frames. Ends with the seal that proves the log complete.
 */
import { type LiveLogHeader, limits, logBatchBytes, type Phase, timing } from '@iac-agent/protocol'
import { commandOf, has, pendingRun } from '../journal/attempt-facts.js'
import { crashPoint } from '../journal/crash-points.js'
import type { Spool } from '../logs/spool.js'
import { ServerRefused } from '../server-api/errors.js'
import { type PackedLog, packLog } from '../server-api/pack-log.js'
import type { Bell } from './bell.js'
import { type Courier, type CourierDeps, verdictOf } from './courier.js'
import { isSettled } from './unsent.js'

/** The way of live bytes: control's live lane. */
export interface LiveChannel {
  readonly isOpen: boolean
  /** False: the connection went; nothing is known to have arrived. */
  send(header: LiveLogHeader, bytes: Buffer): Promise<boolean>
}

export interface LogLaneOptions {
  attempt: { taskId: number; attempt: number; phase: Phase }
  spool: Spool
  live: LiveChannel
}

/** Further behind than this the bytes go over HTTP, in larger batches. */
const liveWindowBytes = logBatchBytes
/** Live bytes that are not acknowledged in this time are taken for lost. */
const liveAckMs = 3000

/** Not sealed, the log ends as a gap on the server. */
const torn = { code: 'disk_full', message: 'the disk was nearly full while terraform wrote: lines may be missing' }

export class LogLane {
  readonly #deps: CourierDeps
  readonly #options: LogLaneOptions
  readonly #courier: Courier
  readonly #bell: Bell
  #isWatched: boolean = false
  /** bytes the server holds; undefined: to be asked */
  #acknowledged: number | undefined
  /** bytes sent as live frames of the present connection */
  #sent = 0
  #ackedAt = 0
  #buffer: Buffer = Buffer.alloc(0)
  /** packed ahead, for the offset that is expected next */
  #next: { offset: number; log: PackedLog } | undefined

  constructor(deps: CourierDeps, options: LogLaneOptions, courier: Courier, bell: Bell) {
    this.#deps = deps
    this.#options = options
    this.#courier = courier
    this.#bell = bell
    if (options.spool.durableBytes === 0) this.#acknowledged = 0
  }

  /** Bytes known to be stored by the server. */
  get acknowledgedBytes(): number {
    return this.#acknowledged ?? 0
  }

  /** Somebody watches (or no longer): bytes go as live frames (or in batches). */
  watch(isWatched: boolean): void {
    this.#isWatched = isWatched
    this.#options.spool.watch(isWatched)
    this.#bell.ring()
  }

  /** The server's `log_ack`: bytes below `nextOffset` are committed. */
  acknowledge(nextOffset: number): void {
    if (nextOffset <= this.acknowledgedBytes || nextOffset > this.#options.spool.durableBytes) return
    this.#acknowledged = nextOffset
    this.#ackedAt = performance.now()
    this.#bell.ring()
  }

  /** Ends when the log is sealed or refused for good, or on abort. */
  async run(signal: AbortSignal): Promise<void> {
    const stop = this.#options.spool.onChange(() => this.#bell.ring())
    try {
      while (!(signal.aborted || isSettled(this.#deps.journal.facts, 'log'))) await this.#step(signal)
    } finally {
      stop()
    }
  }

  async #step(signal: AbortSignal): Promise<void> {
    try {
      this.#acknowledged ??= await this.#ask()
      await this.#advance(this.#acknowledged, signal)
    } catch (err) {
      if (signal.aborted) return
      await this.#judge(err)
    }
  }

  async #advance(acknowledged: number, signal: AbortSignal): Promise<void> {
    const { spool } = this.#options
    const { rings } = this.#bell
    const waiting = spool.durableBytes - acknowledged
    if (waiting < 0) return this.#diverged(acknowledged)
    if (this.#isWatched && this.#options.live.isOpen && waiting > 0 && waiting <= liveWindowBytes) {
      return this.#sendLive(acknowledged, rings, signal)
    }
    this.#sent = 0
    if (waiting >= logBatchBytes || (waiting > 0 && this.#isPausing)) return this.#sendBatch(acknowledged)
    if (waiting > 0) return this.#gather(acknowledged, signal)
    if (spool.isEnded) return this.#seal()
    await this.#bell.wait(rings, signal)
  }

  /** Nothing is added to the log, or not for a while: no terraform runs whose output is part of it. */
  get #isPausing(): boolean {
    if (this.#options.spool.isEnded) return true
    const run = pendingRun(this.#deps.journal.facts)?.run
    return run === undefined || commandOf(run) === 'show'
  }

  /** Waits until a batch is full, 500 ms are over, or terraform has ended; then sends it. */
  async #gather(acknowledged: number, signal: AbortSignal): Promise<void> {
    const { spool } = this.#options
    const until = performance.now() + timing.logBatchMs
    for (let left = timing.logBatchMs; left > 0 && !signal.aborted; left = until - performance.now()) {
      const { rings } = this.#bell
      const isFull = spool.durableBytes - acknowledged >= logBatchBytes
      if (isFull || this.#isPausing || (this.#isWatched && this.#options.live.isOpen)) return
      await this.#bell.wait(rings, signal, left)
    }
    if (!signal.aborted) await this.#sendBatch(acknowledged)
  }

  /** Sends a batch; when far behind, the next is read and packed while it is on its way. */
  async #sendBatch(offset: number): Promise<void> {
    const { phase } = this.#options.attempt
    const log = this.#next?.offset === offset ? this.#next.log : await this.#pack(offset)
    this.#next = undefined
    const chunk = { phase, offset, log }
    const sending = this.#courier.request('deliver log', () => this.#deps.accessor.saveLogChunk(chunk))
    const [sent, next] = await Promise.allSettled([sending, this.#packAhead(offset + log.sizeBytes)])
    if (sent.status === 'rejected') throw sent.reason
    crashPoint('delivery.log.sent')
    this.#acknowledged = sent.value.nextOffset
    if (next.status === 'rejected') throw next.reason
    this.#next = next.value
  }

  /** Nothing yet when less than a full batch is there: more may come to it meanwhile. */
  async #packAhead(offset: number): Promise<{ offset: number; log: PackedLog } | undefined> {
    if (this.#options.spool.durableBytes - offset < limits.logChunkBytes) return undefined
    return { offset, log: await this.#pack(offset) }
  }

  async #pack(offset: number): Promise<PackedLog> {
    const { spool } = this.#options
    return packLog(await spool.read(offset, this.#bufferFor(spool.durableBytes - offset)))
  }

  /** Sends what is durable and not sent yet, then waits for more, or for the acknowledgement of it. */
  async #sendLive(acknowledged: number, rings: number, signal: AbortSignal): Promise<void> {
    const { spool, attempt, live } = this.#options
    if (this.#sent <= acknowledged) {
      this.#sent = acknowledged
      this.#ackedAt = performance.now()
    }
    if (this.#sent < spool.durableBytes) {
      const bytes = await spool.read(this.#sent, this.#bufferFor(liveWindowBytes))
      const header = { task_id: attempt.taskId, attempt: attempt.attempt, phase: attempt.phase, offset: this.#sent }
      if (await live.send(header, bytes)) this.#sent += bytes.length
      else this.#resync()
      return
    }
    const left = this.#ackedAt + liveAckMs - performance.now()
    if (left > 0) await this.#bell.wait(rings, signal, left)
    else await this.#sendBatch(acknowledged) // no acknowledgement: the answer to a request is the truth
  }

  /** Memory for a batch, used again by the next: 256 KiB, and four times that once the lane was far behind. */
  #bufferFor(waitingBytes: number): Buffer {
    const size = waitingBytes > logBatchBytes ? limits.logChunkBytes : logBatchBytes
    if (this.#buffer.length < size) this.#buffer = Buffer.allocUnsafeSlow(size)
    return this.#buffer
  }

  async #seal(): Promise<void> {
    const { spool, attempt } = this.#options
    if (has(this.#deps.journal.facts, 'outputTorn')) return this.#refuse(torn)
    const seal = { phase: attempt.phase, totalBytes: spool.durableBytes, sha256: await spool.sha256() }
    const file = this.#deps.layout.spool
    await this.#courier.deliver({ item: 'log', file, send: (accessor) => accessor.sealLog(seal) })
  }

  async #ask(): Promise<number> {
    const { phase } = this.#options.attempt
    return this.#courier.request('ask for log offset', () => this.#deps.accessor.nextLogOffset(phase))
  }

  /** Asks the server before anything else is sent. */
  #resync(): void {
    this.#acknowledged = undefined
    this.#sent = 0
  }

  async #diverged(serverBytes: number): Promise<void> {
    const held = this.#options.spool.durableBytes
    const message = `the server holds ${serverBytes} bytes of a log of which this agent made ${held}`
    await this.#refuse({ code: 'log_diverged', message })
  }

  async #judge(err: unknown): Promise<void> {
    if (err instanceof ServerRefused && err.code === 'offset_gap') {
      this.#resync()
      return
    }
    const verdict = verdictOf(err)
    if (verdict === undefined) throw err
    await this.#refuse(verdict)
  }

  async #refuse(verdict: { code: string; message: string }): Promise<void> {
    await this.#courier.refuse({ item: 'log', file: this.#deps.layout.spool }, verdict)
  }
}
