import { connect } from 'node:net'
import { describe, expect, it } from 'vitest'
import { adminToken, TestServer } from '../_util/test-server.js'

const wish =
  'connection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA\r\n'
const auth = `host: x\r\nauthorization: Bearer ${adminToken}\r\n`

/** Sends the pieces one by one on one connection; answers everything that comes back. */
async function exchange(server: TestServer, pieces: string[]): Promise<string> {
  const socket = connect(Number(new URL(server.url).port), '127.0.0.1')
  for (const piece of pieces) {
    socket.write(piece)
    await new Promise(setImmediate)
  }
  let answer = ''
  for await (const chunk of socket) answer += chunk
  return answer
}

describe('a request that would like another protocol', () => {
  it('is served as the plain request it is, and the connection goes on', async () => {
    await using server = await TestServer.start()
    const last = `GET /livez HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`
    const answer = await exchange(server, [`GET /api/v1/pools HTTP/1.1\r\n${auth}${wish}\r\n`, last])
    expect(answer.match(/HTTP\/1\.1 200/g)).toHaveLength(2)
    expect(answer).toContain('"items":[]')
  })

  it('is served with its body, however that comes', async () => {
    await using server = await TestServer.start()
    const head = `POST /api/v1/pools HTTP/1.1\r\n${auth}${wish}content-type: application/json\r\ncontent-length: 15\r\n\r\n`
    const last = `GET /livez HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`
    const answer = await exchange(server, [`${head}{"name":`, '"blue"}', last])
    expect(answer).toMatch(/^HTTP\/1\.1 201 .*"name":"blue"/s)
  })

  it('is refused as any other without credentials', async () => {
    await using server = await TestServer.start()
    const answer = await exchange(server, [
      `GET /api/v1/pools HTTP/1.1\r\nhost: x\r\n${wish}\r\n`,
      `GET /livez HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`,
    ])
    expect(answer).toMatch(/^HTTP\/1\.1 401 .*"code":"unauthorized"/s)
  })
})
