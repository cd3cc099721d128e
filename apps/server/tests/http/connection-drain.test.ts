import { once } from 'node:events'
import { createServer, type Server, type ServerResponse } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { ConnectionDrain } from '../../src/http/connection-drain.js'

let server: Server
let drain: ConnectionDrain
beforeEach(async () => {
  server = createServer()
  drain = new ConnectionDrain(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
})
afterEach(() => {
  server.closeAllConnections()
  server.close()
})

it('closes a connection that never sent a request', async () => {
  const socket = await connected()
  drain.drain()
  await closed(socket)
})

it('closes a connection that was used and is idle', async () => {
  server.on('request', (_request, response) => response.end('done'))
  const socket = await connected()
  ask(socket)
  await once(socket, 'data')
  drain.drain()
  await closed(socket)
})

it('lets a request under way be answered, then closes its connection', async () => {
  const socket = await connected()
  const response = await asked(socket)
  drain.drain()
  response.end('late')
  const [answer] = (await once(socket, 'data')) as [Buffer]
  expect(answer.toString()).toMatch(/late$/)
  await closed(socket)
})

it('closes a connection that comes while it drains', async () => {
  drain.drain()
  await closed(await connected())
})

it('leaves an upgraded connection, and other servers, alone', async () => {
  const other = createServer((_request, response) => response.end('here'))
  other.listen(0, '127.0.0.1')
  await once(other, 'listening')
  server.on('upgrade', (_request, upgraded: Socket) => upgraded.write('HTTP/1.1 101 Switching Protocols\r\n\r\n'))
  const [socket, elsewhere] = [await connected(), await connected(other)]
  socket.write('GET / HTTP/1.1\r\nhost: here\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n')
  await once(socket, 'data')
  drain.drain()
  for (let n = 0; n < 2; n++) {
    ask(elsewhere)
    await once(elsewhere, 'data')
  }
  expect([socket.closed, elsewhere.closed]).toEqual([false, false])
  socket.destroy()
  elsewhere.destroy()
  other.close()
  await once(other, 'close')
})

/** Once the server knows of it. */
async function connected(to = server): Promise<Socket> {
  const known = once(to, 'connection')
  const socket = connect((to.address() as AddressInfo).port, '127.0.0.1')
  await Promise.all([known, once(socket, 'connect')])
  return socket
}

function ask(socket: Socket): void {
  socket.write('GET / HTTP/1.1\r\nhost: here\r\n\r\n')
}

async function asked(socket: Socket): Promise<ServerResponse> {
  ask(socket)
  const [, response] = (await once(server, 'request')) as [unknown, ServerResponse]
  return response
}

async function closed(socket: Socket): Promise<void> {
  socket.resume()
  if (!socket.closed) await once(socket, 'close')
}
