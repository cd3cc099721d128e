import { connect } from 'node:net'
import { closeCodes } from '@iac-agent/protocol'
import { describe, expect, it } from 'vitest'
import { gatewayWorld } from './gateway-world.js'
import { socketWorld } from './socket-world.js'

describe('a second agent', () => {
  it('with a long name beyond ASCII is refused with 4410 too, and the server goes on', async () => {
    await using world = await socketWorld()
    const agentId = '農'.repeat(120)
    await using first = await world.connect(encodeURIComponent(agentId))
    first.send({ type: 'heartbeat', payload: {} })
    await using second = await world.connect(encodeURIComponent(agentId))
    second.hello(agentId, 'two', 1)
    expect(await second.closed).toBe(closeCodes.identityInUse)
    expect((await world.operate('GET', '/agents')).body.items).toMatchObject([{ id: agentId }])
  })
})

describe('the path of the WebSocket', () => {
  it('asked without an upgrade says what it is', async () => {
    await using world = await socketWorld()
    const { status, body } = await world.ask('GET', '/agents/control?agent_id=a')
    expect(status).toBe(400)
    expect(body.error).toMatchObject({
      code: 'invalid_request',
      message: 'this is a WebSocket: connect with an Upgrade',
    })
    expect((await world.ask('GET', '/agents/control?agent_id=a', { 'x-app-secret': 'wrong' })).status).toBe(401)
  })
})

describe('an upgrade', () => {
  it('of what is no path is answered like any unknown one', async () => {
    await using world = await socketWorld()
    const answer = await upgrade(world.url, '//')
    expect(answer).toMatch(/^HTTP\/1\.1 404 .*"code":"not_found"/s)
  })

  it('with wrong keys is counted by address, and told when to come again', async () => {
    await using world = await socketWorld()
    const wrong = { ...world.keyHeaders, 'x-app-secret': 'wrong' }
    const path = '/api/v1/agents/control?agent_id=a'
    for (let i = 0; i < 120; i++) expect(await upgrade(world.url, path, wrong)).toMatch(/^HTTP\/1\.1 401 /)
    const answer = await upgrade(world.url, path, wrong)
    expect(answer).toMatch(/^HTTP\/1\.1 429 .*\r\nRetry-After: [1-9]\d*\r\n.*"code":"rate_limited"/s)
    expect((await world.ask('GET', '/agents/a/cc-status', wrong)).status).toBe(429)
    await using agent = await world.connect('a')
    expect(agent.socket.readyState).toBe(agent.socket.OPEN)
  })

  it('to a server that stops is refused, and holds nobody up', async () => {
    await using world = await gatewayWorld()
    await world.stop()
    const answer = await upgrade(world.url, '/api/v1/agents/control?agent_id=a')
    expect(answer).toMatch(/^HTTP\/1\.1 503 .*"code":"unavailable"/s)
  })
})

/** The whole answer to an upgrade that is refused. */
async function upgrade(url: string, path: string, headers: Record<string, string> = {}): Promise<string> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  const lines = { host: 'x', connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13', ...headers }
  const head = Object.entries(lines).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.write(`GET ${path} HTTP/1.1\r\n${head.join('')}sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`)
  let answer = ''
  for await (const chunk of socket) answer += chunk
  return answer
}
