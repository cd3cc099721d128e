import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { closeCodes } from '@iac-agent/protocol'
import { ClosingStack, silentLogger, systemClock } from '@iac-agent/runtime'
import { describe, expect, it } from 'vitest'
import { ControlHub } from '../../src/control/control-hub.js'
import { Gateway } from '../../src/control/gateway.js'
import { createPool } from '../../src/domain/auth/pools.js'
import { findAgent } from '../../src/store/agent-rows.js'
import { temporaryStore } from '../store/temporary-store.js'
import { AgentSocket } from './socket-world.js'

const silenceMs = 300

/** A gateway on a bare HTTP server, with a silence that a test can wait for. */
async function gatewayWorld() {
  await using undo = new ClosingStack()
  const { store } = undo.use(await temporaryStore())
  const pool = await createPool({ store, clock: systemClock }, { name: 'pool' })
  const hub = new ControlHub()
  const http = createServer()
  undo.defer(() => new Promise((resolve) => http.close(resolve)))
  const gateway = undo.use(
    new Gateway({
      store,
      clock: systemClock,
      hub,
      logger: silentLogger(),
      authenticate: async () => ({ poolId: pool.id, keyId: 'key' }),
      appendLive: async () => ({ stale: true }),
      heartbeatIntervalMs: 10_000,
      silenceMs,
    }),
  )
  await gateway.attach(http)
  await listening(http)
  const parts = undo.move()
  return {
    store,
    hub,
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: () => parts[Symbol.asyncDispose](),
  }
}

function listening(http: Server): Promise<void> {
  return new Promise((resolve) => http.listen(0, '127.0.0.1', resolve))
}

describe('an agent nobody hears from', () => {
  it('is closed and offline after the silence timeout', async () => {
    await using world = await gatewayWorld()
    const since = performance.now()
    await using agent = await AgentSocket.open(world.url, 'a', {})
    expect(world.hub.getConnectedAgents()).toEqual(['a'])
    expect(await agent.closed).toBe(closeCodes.silent)
    expect(performance.now() - since).toBeGreaterThanOrEqual(silenceMs - 5)
    expect(world.hub.getConnectedAgents()).toEqual([])
  })

  it('is kept by any frame, a ping too', async () => {
    await using world = await gatewayWorld()
    await using agent = await AgentSocket.open(world.url, 'a', {})
    const pings = setInterval(() => agent.socket.ping(), silenceMs / 6)
    const closedEarly = await Promise.race([agent.closed, new Promise((resolve) => setTimeout(resolve, 3 * silenceMs))])
    clearInterval(pings)
    expect(closedEarly).toBeUndefined()
    expect(await agent.closed).toBe(closeCodes.silent)
  })
})

describe('a server that stops', () => {
  it('closes its sockets with 1001 and leaves every agent offline in the database', async () => {
    let code: number | undefined
    await using outer = await temporaryStore()
    const pool = await createPool({ store: outer.store, clock: systemClock }, { name: 'pool' })
    const http = createServer()
    {
      await using gateway = new Gateway({
        store: outer.store,
        clock: systemClock,
        hub: new ControlHub(),
        logger: silentLogger(),
        authenticate: async () => ({ poolId: pool.id, keyId: 'key' }),
        appendLive: async () => ({ stale: true }),
        heartbeatIntervalMs: 10_000,
        silenceMs: 60_000,
      })
      await gateway.attach(http)
      await listening(http)
      const agent = await AgentSocket.open(`http://127.0.0.1:${(http.address() as AddressInfo).port}`, 'a', {})
      void agent.closed.then((closed) => {
        code = closed
      })
    }
    await new Promise((resolve) => http.close(resolve))
    expect(code).toBe(1001)
    expect((await outer.store.read((reader) => findAgent(reader, 'a')))?.online).toBe(0)
  })
})
