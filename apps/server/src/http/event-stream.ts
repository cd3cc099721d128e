/** Server-sent events on a request: opened once, written with back-pressure, kept awake by comments. */
import { once } from 'node:events'
import type { FastifyReply } from 'fastify'

const commentEveryMs = 15_000

export interface ServerSentEvent {
  id?: string | number
  /** default: `message` */
  event?: string
  data: unknown
}

export class EventStream implements Disposable {
  readonly #ended = new AbortController()
  readonly #timer: NodeJS.Timeout
  readonly #onStop = () => this.end()

  /** @param stopping aborts when the server stops */
  constructor(
    private readonly reply: FastifyReply,
    private readonly stopping: AbortSignal,
  ) {
    reply.hijack()
    const { raw } = reply
    raw.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      // nginx would otherwise collect events before it passes them on
      'x-accel-buffering': 'no',
      'x-request-id': reply.request.id,
    })
    raw.flushHeaders()
    raw.on('close', () => this.#ended.abort())
    this.#timer = setInterval(() => raw.write(': still here\n\n'), commentEveryMs)
    stopping.addEventListener('abort', this.#onStop)
    if (stopping.aborted) this.end()
  }

  /** Aborts when the caller has left, the server stops, or the stream was ended. */
  get signal(): AbortSignal {
    return this.#ended.signal
  }

  /** Resolves when the caller can take more; at once after the end. */
  async send(event: ServerSentEvent): Promise<void> {
    if (this.signal.aborted) return
    const name = event.event === undefined ? '' : `event: ${event.event}\n`
    const id = event.id === undefined ? '' : `id: ${event.id}\n`
    if (this.reply.raw.write(`${id}${name}data: ${JSON.stringify(event.data)}\n\n`)) return
    try {
      await once(this.reply.raw, 'drain', { signal: this.signal })
    } catch (err) {
      if (!this.signal.aborted) throw err // the caller left while it was behind: nothing is owed
    }
  }

  end(): void {
    this.#ended.abort()
    clearInterval(this.#timer)
    this.stopping.removeEventListener('abort', this.#onStop)
    this.reply.raw.end()
  }

  [Symbol.dispose](): void {
    this.end()
  }
}
