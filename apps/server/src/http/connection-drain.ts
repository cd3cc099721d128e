/**
 * Lets a stopping server end at once: Node closes connections that were used and are idle now, but waits for those that never sent
 * a request (browsers and undici open such ahead of need), and for those that finish one later. Until then a request costs nothing here.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'

/** Node tells of each answer that is sent, on whatever server, as long as somebody listens. */
const answered = 'http.server.response.finish'

export class ConnectionDrain {
  readonly #unused = new Set<Duplex>()
  #isDraining: boolean = false

  constructor(private readonly server: Server) {
    // of a TLS server the raw connection never carries a request itself
    const event = 'setSecureContext' in server ? 'secureConnection' : 'connection'
    server.on(event, (socket: Duplex) => {
      if (this.#isDraining) return closeSoon(socket)
      this.#unused.add(socket)
      socket.once('close', () => this.#unused.delete(socket))
    })
    const use = ({ socket }: IncomingMessage) => this.#unused.delete(socket)
    server.on('upgrade', use).on('request', use)
  }

  /** Closes what is idle now, and everything else as soon as it is. */
  drain(): void {
    this.#isDraining = true
    subscribe(answered, this.#close)
    this.server.once('close', () => unsubscribe(answered, this.#close))
    for (const socket of this.#unused) socket.destroy()
    this.server.closeIdleConnections()
  }

  readonly #close = (message: unknown): void => {
    const { server, response, socket } = message as { server: Server; response: ServerResponse; socket: Duplex }
    if (server === this.server) response.once('close', () => closeSoon(socket))
  }
}

function closeSoon(socket: Duplex): void {
  if (!socket.destroyed) socket.end(() => socket.destroy())
}
