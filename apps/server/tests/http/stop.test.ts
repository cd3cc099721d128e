import { once } from 'node:events'
import { connect } from 'node:net'
import { describe, expect, it } from 'vitest'
import { adminToken, TestServer } from '../_util/test-server.js'

/** A request whose body is sent later. */
const head = `POST /api/v1/pools HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${adminToken}\r\ncontent-type: application/json\r\ncontent-length: 15\r\n\r\n`

async function open(server: TestServer) {
  const socket = connect(Number(new URL(server.url).port), '127.0.0.1')
  await once(socket, 'connect')
  return socket
}

describe('a server that stops', () => {
  it('closes connections that never asked anything, and those that did, without waiting for them', async () => {
    const server = await TestServer.start()
    const silent = await open(server)
    const asked = await open(server)
    asked.write('GET /livez HTTP/1.1\r\nhost: x\r\n\r\n')
    await once(asked, 'data')
    const closed = Promise.all([once(silent.resume(), 'close'), once(asked.resume(), 'close')])
    const startedAt = performance.now()
    await server[Symbol.asyncDispose]()
    await closed
    expect(performance.now() - startedAt).toBeLessThan(5_000)
  })

  it('lets a request under way finish, and takes no new connection', async () => {
    const server = await TestServer.start()
    const socket = await open(server)
    const received = once(server.app.server, 'request')
    socket.write(head)
    await received
    const stopping = server[Symbol.asyncDispose]()
    await expect(fetch(`${server.url}/livez`)).rejects.toThrow()
    socket.write('{"name":"late"}')
    let answer = ''
    for await (const chunk of socket) answer += chunk
    expect(answer).toMatch(/^HTTP\/1\.1 201 .*"name":"late"/s)
    await stopping
  })
})
