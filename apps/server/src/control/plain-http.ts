/** Serves a request that asks for an upgrade we do not make (`h2c`, as Java's HttpClient does by itself) as the plain request it also is. */
import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'

/** Whether this is for the WebSocket's door; whatever else is asked for may be ignored (RFC 9110, 7.8). */
export function asksForWebSocket(request: IncomingMessage): boolean {
  return request.headers.upgrade?.toLowerCase() === 'websocket'
}

/** Gives the connection back to the server, with the request's head without its wish in front of what came after it. */
export function serveWithoutUpgrade(server: Server, request: IncomingMessage, socket: Duplex, rest: Buffer): void {
  const lines = [`${request.method} ${request.url} HTTP/${request.httpVersion}`]
  for (let at = 0; at < request.rawHeaders.length; at += 2) {
    const [name = '', value = ''] = request.rawHeaders.slice(at, at + 2)
    if (!isOfUpgrade(name)) lines.push(`${name}: ${value}`)
  }
  socket.unshift(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), rest]))
  server.emit('setSecureContext' in server ? 'secureConnection' : 'connection', socket)
}

function isOfUpgrade(name: string): boolean {
  return ['upgrade', 'connection', 'http2-settings'].includes(name.toLowerCase())
}
