import { closeCodes, type NewOperatorToken, type NewPoolKey } from '@iac-agent/protocol'
import { startFakeAgent } from '@iac-agent/testkit'
import { describe, expect, it } from 'vitest'
import { openEvents } from '../_util/event-source.js'
import { TestServer } from '../_util/test-server.js'

describe('a stream', () => {
  it('ends with the token it was opened by, and no other', async () => {
    await using server = await TestServer.start()
    const [gone, kept] = await Promise.all(
      ['gone', 'kept'].map((name) =>
        server.ok<NewOperatorToken>('POST', '/api/v1/tokens', { body: { name, role: 'read_only' } }),
      ),
    )
    const open = (token = '') => openEvents(`${server.url}/api/v1/events`, { authorization: `Bearer ${token}` })
    using ending = await open(gone?.token)
    using staying = await open(kept?.token)
    const told = staying.events.next()
    await server.ok('DELETE', `/api/v1/tokens/${gone?.id}`)
    for (let next = await ending.events.next(); next.done !== true; next = await ending.events.next());
    const { poolId } = await server.createPoolAndKey()
    await server.createWorkspace(poolId)
    expect((await told).value).toMatchObject({ event: 'workspace' })
  })
})

describe('an agent', () => {
  it('is closed with 4401 by the first thing it says after its key has expired', async () => {
    let now = Date.now()
    const clock = { now: () => now, monotonic: () => performance.now() }
    await using server = await TestServer.start({ clock })
    const { poolId } = await server.createPoolAndKey()
    const body = { expires_in_days: 1 }
    const key = await server.ok<NewPoolKey>('POST', `/api/v1/pools/${poolId}/keys`, { body })
    await using agent = await startFakeAgent({ url: server.url, key })
    await agent.next('heartbeat_ack')
    now += 86_400_000 - 60_000
    agent.heartbeat()
    await agent.next('heartbeat_ack')
    now += 60_000
    agent.heartbeat()
    expect(await agent.closed).toEqual({ code: closeCodes.unauthorized, reason: 'the key has expired' })
  })
})
