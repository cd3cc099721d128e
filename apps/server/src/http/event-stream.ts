/** Server-sent events on a request: opened once, written with back-pressure, kept awake by comments. */
import { once } from 'node:events'
import { timing } from '@iac-agent/protocol'
import type { FastifyReply } from 'fastify'
import type { Changes } from '../store/store.js'

const commentEveryMs = 15_000

export interface ServerSentEvent {
  id?: string | number
  /** default: `message` */
  event?: string
  data: unknown
}

export interface EventStreamEnds {
  /** aborts when the server stops */
  readonly stopping: AbortSignal
  /** tell when the caller's token is deleted */
  readonly changes: Changes
}

/** An event as it is on the wire. */
export function textOf({ id, event, data }: ServerSentEvent): string {
  const name = event === undefined ? '' : `event: ${event}\n`
  const place = id === undefined ? '' : `id: ${id}\n`
  return `${place}${name}data: ${JSON.stringify(data)}\n\n`
}

export class EventStream implements Disposable {
  readonly #ended = new AbortController()
  readonly #timer: NodeJS.Timeout
  readonly #unsubscribe: () => void
  readonly #onStop = () => this.end()

  constructor(
    private readonly reply: FastifyReply,
    private readonly ends: EventStreamEnds,
  ) {
    reply.hijack()
    const { raw, request } = reply
    raw.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      // nginx would otherwise collect events before it passes them on
      'x-accel-buffering': 'no',
      'x-request-id': request.id,
    })
    raw.flushHeaders()
    raw.on('close', () => this.end())
    this.#timer = setInterval(() => raw.writableNeedDrain || raw.write(': still here\n\n'), commentEveryMs)
    this.#unsubscribe = ends.changes.subscribe((changes) => {
      const tokenId = request.operator?.tokenId
      if (changes.some((change) => change.kind === 'token' && change.tokenId === tokenId)) this.end()
    })
    ends.stopping.addEventListener('abort', this.#onStop)
    if (ends.stopping.aborted) this.end()
  }

  /** Aborts when the caller has left or reads nothing, its token was deleted, the server stops, or the stream was ended. */
  get signal(): AbortSignal {
    return this.#ended.signal
  }

  /** Resolves when the caller can take more; at once after the end. One that takes nothing for `viewerStallMs` is cut off. */
  send(event: ServerSentEvent): Promise<void> {
    return this.sendText(textOf(event))
  }

  /** As `send`, for what `textOf` made of an event, once for many streams. */
  async sendText(text: string): Promise<void> {
    if (this.signal.aborted) return
    if (this.reply.raw.write(text)) return
    const stall = setTimeout(() => this.#giveUp(), timing.viewerStallMs)
    try {
      await once(this.reply.raw, 'drain', { signal: this.signal })
    } catch (err) {
      if (!this.signal.aborted) throw err // the caller left while it was behind: nothing is owed
    } finally {
      clearTimeout(stall)
    }
  }

  end(): void {
    this.#ended.abort()
    clearInterval(this.#timer)
    this.#unsubscribe()
    this.ends.stopping.removeEventListener('abort', this.#onStop)
    this.reply.raw.end()
  }

  [Symbol.dispose](): void {
    this.end()
  }

  /** What is written and not taken goes with the connection; the viewer resumes by `Last-Event-ID`. */
  #giveUp(): void {
    this.reply.request.log.info({ request_id: this.reply.request.id }, 'viewer does not read: stream cut off')
    this.reply.raw.destroy()
  }
}
