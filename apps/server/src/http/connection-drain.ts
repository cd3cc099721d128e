/**
 * Lets a stopping server end at once: Node closes connections that were used and are idle now, but waits for those that never sent
 * a request (browsers and undici open such ahead of need), and for those that finish one later.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'

export class ConnectionDrain {
  readonly #idle = new Set<Duplex>()
  readonly #draining = new AbortController()

  constructor(server: Server) {
    // of a TLS server the raw connection never carries a request itself
    const event = 'setSecureContext' in server ? 'secureConnection' : 'connection'
    server.on(event, (socket: Duplex) => {
      socket.once('close', () => this.#idle.delete(socket))
      this.#rest(socket)
    })
    server.on('upgrade', (request: IncomingMessage) => this.#idle.delete(request.socket))
    server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
      this.#idle.delete(socket)
      response.once('close', () => this.#rest(socket))
    })
  }

  /** Closes what is idle now, and everything else as soon as it is. */
  drain(): void {
    this.#draining.abort()
    for (const socket of this.#idle) socket.destroy()
  }

  #rest(socket: Duplex): void {
    if (socket.destroyed) return
    if (this.#draining.signal.aborted) socket.end(() => socket.destroy())
    else this.#idle.add(socket)
  }
}
