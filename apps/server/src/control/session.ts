/** One socket of an agent: the only writer to it, and the owner of its end. 60 s without any frame and it is closed. */
import { randomUUID } from 'node:crypto'
import { closeCodes, type Heartbeat, type Hello, type ServerMessage } from '@iac-agent/protocol'
import type { Logger } from '@iac-agent/runtime'
import type { RawData, WebSocket } from 'ws'

export interface SessionIdentity {
  readonly agentId: string
  readonly poolId: string
  readonly keyId: string
  readonly isSeedOnly: boolean
  /** it said the secret its agent is known by */
  readonly isProven: boolean
  /** of the key, epoch ms; null: never */
  readonly keyExpiresAt: number | null
}

/** Hears a session; text and binary frames come in the order they were sent. */
export interface SessionListener {
  onText(text: string): void
  onBinary(frame: Buffer): void
  onClosed(): void
}

/** What is written and not yet taken by the network; beyond it the agent does not read and the socket is given up. */
const unsentLimitBytes = 1024 * 1024
/** Frames being worked on; beyond it the socket is not read until half are done. */
const workLimit = 64
/** A peer that does not answer our close in this time is cut off. */
const closeGraceMs = 2_000
/** RFC 6455: 125 of a control frame, less two for the code; ws throws beyond it. */
const closeReasonBytes = 123

export class Session {
  readonly connectionId = randomUUID()
  readonly logger: Logger
  /** the first message said, for a full agent */
  hello: Hello | undefined
  heartbeat: Heartbeat | undefined
  hasSpoken: boolean = false
  /** an operator's wish, as the database had it last */
  isDrained: boolean = false
  /** resolves when the socket is gone */
  readonly closed: Promise<void>
  #lastFrameAt: number
  #isClosed: boolean = false
  #working = 0
  readonly #silence: NodeJS.Timeout

  constructor(
    readonly identity: SessionIdentity,
    private readonly socket: WebSocket,
    private readonly options: { silenceMs: number; logger: Logger; monotonic: () => number },
  ) {
    this.logger = options.logger.child({ agent_id: identity.agentId, connection_id: this.connectionId })
    this.#lastFrameAt = options.monotonic()
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()))
    this.#silence = setTimeout(() => this.close(closeCodes.silent, 'nothing was heard'), options.silenceMs)
  }

  /** Whether work may be sent: a full agent first says what it holds. */
  get isReady(): boolean {
    return !this.#isClosed && (this.identity.isSeedOnly || this.hasSpoken)
  }

  /** Milliseconds since the last frame of any kind. */
  get silentForMs(): number {
    return this.options.monotonic() - this.#lastFrameAt
  }

  listen(listener: SessionListener): void {
    const heard = () => {
      this.#lastFrameAt = this.options.monotonic()
      this.#silence.refresh()
    }
    this.socket.on('ping', heard)
    this.socket.on('pong', heard)
    this.socket.on('message', (data: RawData, isBinary: boolean) => {
      heard()
      if (this.#isClosed) return
      const bytes = bufferOf(data)
      if (isBinary) listener.onBinary(bytes)
      else listener.onText(bytes.toString('utf8'))
    })
    this.socket.on('error', (err) => this.logger.info({ err }, 'control socket failed'))
    this.socket.once('close', (code) => {
      this.#isClosed = true
      clearTimeout(this.#silence)
      this.logger.info({ code }, 'control socket closed')
      listener.onClosed()
    })
  }

  /** Answers whether the socket took the message; it may still be lost. */
  send(message: ServerMessage): boolean {
    if (this.#isClosed || this.socket.readyState !== this.socket.OPEN) return false
    if (this.socket.bufferedAmount > unsentLimitBytes) {
      this.logger.warn({ unsent_bytes: this.socket.bufferedAmount }, 'agent does not read: socket given up')
      this.socket.terminate()
      return false
    }
    this.socket.send(JSON.stringify(message))
    return true
  }

  /** Counts work begun for a frame; the socket is not read while too much is open. */
  working(work: Promise<void>): void {
    this.#working += 1
    if (this.#working >= workLimit) this.socket.pause()
    void work.finally(() => {
      this.#working -= 1
      if (this.#working <= workLimit / 2 && this.socket.isPaused) this.socket.resume()
    })
  }

  /** Closes with a code of `closeCodes`, and cuts the line when the peer does not answer. */
  close(code: number, reason: string): void {
    if (this.#isClosed) return
    this.#isClosed = true
    clearTimeout(this.#silence)
    this.socket.resume()
    this.socket.close(code, shortened(reason))
    const cut = setTimeout(() => this.socket.terminate(), closeGraceMs)
    this.socket.once('close', () => clearTimeout(cut))
  }
}

/** Cut to the bytes a close frame has room for, at a whole character. */
function shortened(reason: string): string {
  return new TextDecoder().decode(Buffer.from(reason).subarray(0, closeReasonBytes), { stream: true })
}

function bufferOf(data: RawData): Buffer {
  if (Buffer.isBuffer(data)) return data
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data)
}
