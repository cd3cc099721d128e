/** One way of a connection: what comes out of one socket goes into the other, through the faults of the moment. */
import type { Socket } from 'node:net'
import type { Faults, Way } from './faults.js'

export interface LaneParts {
  way: Way
  source: Socket
  sink: Socket
  faults: Faults
  /** Told of bytes that are about to go on; answers how many of them may, and what happens then instead of the rest. */
  onBytes(bytes: Buffer): { pass: number; instead?: () => void }
  /** So many bytes of this way, or (0) its end, were swallowed: the two sides no longer agree. */
  onLost(way: Way, bytes: number): void
}

/** `bytes` undefined: the source has ended. */
interface Piece {
  bytes: Buffer | undefined
  arrivedAt: number
}

/** Pieces read ahead, which a delay needs; more stay with the sender. */
const mostPieces = 64
/** A throttled piece is cut into slices that take about this long. */
const sliceMs = 50

export class Lane {
  readonly #queue: Piece[] = []
  #isRunning = false
  #isStopped = false

  constructor(private readonly parts: LaneParts) {
    const { source } = parts
    source.on('data', (bytes: Buffer) => this.#take(bytes))
    source.once('end', () => this.#take(undefined))
  }

  /** What is on its way, and what still comes, is dropped. */
  stop(): void {
    this.#isStopped = true
    this.parts.source.resume()
  }

  #take(bytes: Buffer | undefined): void {
    if (this.#isStopped) return
    this.#queue.push({ bytes, arrivedAt: performance.now() })
    if (this.#queue.length >= mostPieces) this.parts.source.pause()
    if (!this.#isRunning) void this.#run()
  }

  async #run(): Promise<void> {
    const { source, faults } = this.parts
    this.#isRunning = true
    for (let piece = this.#queue.shift(); piece && this.#isOpen; piece = this.#queue.shift()) {
      const { bytes, arrivedAt } = piece
      await faults.until(({ delayMs }) => (this.#isOpen ? arrivedAt + delayMs : 0))
      if (bytes === undefined) this.#end()
      else await this.#carry(bytes)
      source.resume()
    }
    this.#isRunning = false
  }

  get #isOpen(): boolean {
    return !this.#isStopped && this.parts.sink.writable
  }

  async #carry(bytes: Buffer): Promise<void> {
    const { faults } = this.parts
    for (let rest = bytes; rest.length > 0 && this.#isOpen; ) {
      const { bytesPerSecond } = faults.now
      const size = bytesPerSecond === null ? rest.length : Math.max(1, Math.floor((bytesPerSecond * sliceMs) / 1000))
      const slice = rest.subarray(0, size)
      rest = rest.subarray(slice.length)
      const startedAt = performance.now()
      const sentAt = (rate: number | null) => (rate === null ? 0 : startedAt + (slice.length / rate) * 1000)
      await faults.until((now) => (this.#isOpen ? sentAt(now.bytesPerSecond) : 0))
      await this.#pass(slice)
    }
  }

  async #pass(bytes: Buffer): Promise<void> {
    const { way, sink, faults, onBytes, onLost } = this.parts
    if (faults.swallows(way)) return onLost(way, bytes.length)
    const { pass, instead } = onBytes(bytes)
    // An error goes to the socket's own listener; here the end of the write counts alone, which is the backpressure.
    await new Promise<void>((resolve) => sink.write(bytes.subarray(0, pass), () => resolve()))
    instead?.()
  }

  #end(): void {
    const { way, sink, faults, onLost } = this.parts
    if (faults.swallows(way)) onLost(way, 0)
    else if (this.#isOpen) sink.end()
  }
}
