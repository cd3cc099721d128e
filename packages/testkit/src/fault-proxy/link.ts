/** One connection through the proxy: a pair of sockets, a lane each way, one common end. */
import { connect, type Socket } from 'node:net'
import type { Faults, Way } from './faults.js'
import { Lane } from './lane.js'

interface Target {
  host: string
  port: number
}

export interface LinkParts {
  client: Socket
  target: Target
  faults: Faults
  onCarried(way: Way, bytes: number): void
  onSwallowed(bytes: number): void
  /** The allowance is used up, and the link is reset. */
  onUsedUp(): void
  /** Told once, when the first answer comes, of all that went upwards before it. */
  onAnswered?: (request: Buffer) => void
}

/** How long both sides may take to end after `cut`. */
const graceMs = 2_000

export class Link {
  /** Both sockets are gone. */
  readonly closed: Promise<unknown>
  readonly #sockets: Socket[]
  readonly #lanes: Lane[]
  readonly #lost = new Set<Way>()
  #allowance: number | undefined
  readonly #request: Buffer[] = []
  #isAnswered = false

  constructor(private readonly parts: LinkParts) {
    const { client, target, faults } = parts
    const upstream = connect({ ...target, allowHalfOpen: true, noDelay: true })
    this.#sockets = [client, upstream]
    const common = { faults, onLost: (way: Way, bytes: number) => this.#lose(way, bytes) }
    this.#lanes = [
      new Lane({ ...common, way: 'up', source: client, sink: upstream, onBytes: (bytes) => this.#up(bytes) }),
      new Lane({ ...common, way: 'down', source: upstream, sink: client, onBytes: (bytes) => this.#down(bytes) }),
    ]
    this.closed = Promise.all([this.#watch(client, 'up', upstream), this.#watch(upstream, 'down', client)])
  }

  /** After so many bytes more upwards the link is reset; undefined: never. */
  limit(allowance: number | undefined): void {
    this.#allowance = allowance
  }

  /** Resets the link when bytes are missing in a way that carries again: a stream has no holes. */
  settle(): void {
    if ([...this.#lost].some((way) => !this.parts.faults.swallows(way))) this.reset()
  }

  /** An orderly end to both sides; what was on its way is dropped. */
  cut(): void {
    for (const lane of this.#lanes) lane.stop()
    for (const socket of this.#sockets) socket.end()
    const timer = setTimeout(() => this.reset(), graceMs)
    void this.closed.then(() => clearTimeout(timer))
  }

  /** RST to both sides. */
  reset(): void {
    for (const socket of this.#sockets) resetSocket(socket)
  }

  /** A side that breaks takes the other along, unless the news of it is swallowed. */
  #watch(socket: Socket, way: Way, other: Socket): Promise<void> {
    socket.on('error', () => {
      if (this.parts.faults.swallows(way)) this.#lose(way, 0)
      else resetSocket(other)
    })
    return new Promise((resolve) => socket.once('close', () => resolve()))
  }

  #lose(way: Way, bytes: number): void {
    this.#lost.add(way)
    this.parts.onSwallowed(bytes)
  }

  #up(bytes: Buffer): { pass: number; instead?: () => void } {
    const { onCarried, onUsedUp, onAnswered } = this.parts
    const pass = Math.min(bytes.length, this.#allowance ?? bytes.length)
    if (onAnswered && !this.#isAnswered) this.#request.push(bytes)
    onCarried('up', pass)
    if (this.#allowance === undefined) return { pass }
    this.#allowance -= pass
    if (this.#allowance > 0) return { pass }
    const instead = () => {
      onUsedUp()
      this.reset()
    }
    return { pass, instead }
  }

  #down(bytes: Buffer): { pass: number } {
    this.parts.onCarried('down', bytes.length)
    if (!this.#isAnswered) this.parts.onAnswered?.(Buffer.concat(this.#request.splice(0)))
    this.#isAnswered = true
    return { pass: bytes.length }
  }
}

/** Ends a socket by RST. One that has sent its end is closed instead: Node 20 loses its handle when it is reset (libuv refuses that). */
function resetSocket(socket: Socket): void {
  if (socket.writableEnded) socket.destroy()
  else socket.resetAndDestroy()
}
