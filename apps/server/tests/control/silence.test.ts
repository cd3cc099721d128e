import { once } from 'node:events'
import { closeCodes } from '@iac-agent/protocol'
import { eventually, startFaultProxy } from '@iac-agent/testkit'
import { describe, expect, it } from 'vitest'
import { findAgent } from '../../src/store/agent-rows.js'
import { gatewayWorld } from './gateway-world.js'
import { AgentSocket } from './socket-world.js'

const silenceMs = 300

describe('an agent nobody hears from', () => {
  it('is closed and offline after the silence timeout', async () => {
    await using world = await gatewayWorld(silenceMs)
    const since = performance.now()
    await using agent = await AgentSocket.open(world.url, 'a', {})
    expect(world.hub.getConnectedAgents()).toEqual(['a'])
    expect(await agent.closed).toBe(closeCodes.silent)
    expect(performance.now() - since).toBeGreaterThanOrEqual(silenceMs - 5)
    expect(world.hub.getConnectedAgents()).toEqual([])
  })

  it('is kept by any frame, a ping too', async () => {
    await using world = await gatewayWorld(silenceMs)
    await using agent = await AgentSocket.open(world.url, 'a', {})
    let isClosed = false
    void agent.closed.then(() => {
      isClosed = true
    })
    const pings = setInterval(() => agent.socket.ping(), silenceMs / 6)
    for (let heard = 0; heard < 18; heard++) await once(agent.socket, 'pong')
    clearInterval(pings)
    expect(isClosed).toBe(false)
    expect(await agent.closed).toBe(closeCodes.silent)
  })
})

describe('an agent whose network vanished without a word', () => {
  it('is offline after the silence timeout, and its connection is not kept', async () => {
    await using world = await gatewayWorld(silenceMs)
    await using proxy = await startFaultProxy({ target: world.url })
    await using agent = await AgentSocket.open(proxy.url, 'a', {})
    await eventually('it is online', async () => (await world.store.read((reader) => findAgent(reader, 'a')))?.online)
    proxy.blackhole('both')
    const since = performance.now()
    await eventually('it is offline', async () => {
      return (await world.store.read((reader) => findAgent(reader, 'a')))?.online === 0
    })
    expect(performance.now() - since).toBeGreaterThanOrEqual(silenceMs - 5)
    expect(world.hub.getConnectedAgents()).toEqual([])
    expect(agent.socket.readyState).toBe(agent.socket.OPEN)
    proxy.heal()
    await agent.closed
  })
})

describe('a server that stops', () => {
  it('closes its sockets with 1001 and leaves every agent offline in the database', async () => {
    await using world = await gatewayWorld()
    await using agent = await AgentSocket.open(world.url, 'a', {})
    await world.stop()
    expect(await agent.closed).toBe(1001)
    expect((await world.store.read((reader) => findAgent(reader, 'a')))?.online).toBe(0)
  })
})
