import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net'
import { closeCodes } from '@iac-agent/protocol'
import { eventually, startFakeServer } from '@iac-agent/testkit'
import { describe, expect, it, vi } from 'vitest'
import { WebSocketServer } from 'ws'
import { ControlSocket } from '../../src/control/socket.js'
import { createNetwork } from '../../src/server-api/network.js'
import { fixedCredentials } from '../_util/connection.js'
import { runManager } from './_manager.js'

const key = { app_key: 'k', app_secret: 's' }

/** Accepts, and then nothing. */
async function startSilentServer() {
  const server = createTcpServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    server,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())),
  }
}

describe('the control manager', () => {
  it('says hello, then a heartbeat at once with the real load of the machine, and again each interval', async () => {
    await using server = await startFakeServer()
    const inventory = [{ task_id: 5, attempt: 2, action: 'plan' as const, stage: 'planning' as const, log_length: 9 }]
    await using agent = runManager(server, { inventory: () => inventory })
    expect(await server.message('hello')).toEqual({
      protocol_version: 1,
      agent_id: 'agent-1',
      instance_id: 'instance-1',
      boot_epoch: 7,
      tasks: inventory,
    })
    await eventually('three heartbeats', () => server.received.filter(({ type }) => type === 'heartbeat').length >= 3)
    const { cpu_usage, mem_usage, timestamp, ...rest } = await server.message('heartbeat')
    expect(rest).toEqual({
      agent_id: 'agent-1',
      status: 'idle',
      plan_running: 0,
      plan_limit: 3,
      apply_running: false,
      current_tasks: [],
    })
    expect(cpu_usage).toBeGreaterThanOrEqual(0)
    expect(cpu_usage).toBeLessThanOrEqual(100)
    expect(mem_usage).toBeGreaterThan(0)
    expect(Date.parse(String(timestamp))).toBeGreaterThan(Date.now() - 60_000)
    expect(agent.manager.state.phase).toBe('connected')
  })

  it('hands messages on and skips what it does not know or cannot read', async () => {
    await using server = await startFakeServer()
    await using agent = runManager(server)
    await server.message('hello')
    server.send('telepathy', {})
    server.send('cancel_task', { task_id: 'seven' })
    server.send('cancel_task', { task_id: 7 })
    await eventually('the cancel', () => agent.messages.find(({ type }) => type === 'cancel_task'))
    expect(agent.messages.filter(({ type }) => type === 'cancel_task')).toEqual([
      { type: 'cancel_task', payload: { task_id: 7 } },
    ])
    expect(server.connections).toBe(1)
  })

  it('comes back after a cut, says hello again, and sends what it is asked to', async () => {
    await using server = await startFakeServer()
    await using agent = runManager(server)
    await eventually('the connection', () => agent.manager.state.phase === 'connected')
    server.dropSockets()
    await eventually('a second hello', () => server.received.filter(({ type }) => type === 'hello').length === 2)
    expect(agent.states.map(({ phase }) => phase)).toContain('waiting')
    expect(agent.manager.send({ type: 'task_completed', payload: { task_id: 1 } })).toBe(true)
    expect(await server.message('task_completed')).toEqual({ task_id: 1 })
  })

  it('cuts a connection on which nothing is heard, and connects again', async () => {
    let connections = 0
    const http = createServer()
    const silent = new WebSocketServer({ server: http, autoPong: false })
    silent.on('connection', () => connections++)
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
    const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`
    {
      await using _ = runManager({ url, key: { app_key: 'k', app_secret: 's' } }, { heartbeatIntervalMs: 50 })
      await eventually('a second connection', () => connections >= 2)
    }
    for (const client of silent.clients) client.terminate()
    await new Promise((resolve) => http.close(resolve))
  })

  it('gives up a proxy that takes the connection and says nothing', async () => {
    await using hole = await startSilentServer()
    const network = createNetwork({ httpProxy: hole.url })
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const target = {
      serverUrl: new URL('http://iac.example'),
      agentId: 'a',
      network,
      credentials: fixedCredentials(key),
    }
    const connecting = ControlSocket.connect(target, new AbortController().signal)
    const [proxied] = (await once(hole.server, 'connection')) as [Socket]
    const closed = once(proxied.resume(), 'close')
    vi.advanceTimersByTime(20_000)
    vi.useRealTimers()
    await expect(connecting).rejects.toMatchObject({ code: 'unreachable' })
    await closed
    await network[Symbol.asyncDispose]()
  })

  it('heartbeats over HTTP while something refuses the upgrade, and obeys what the answer wants', async () => {
    await using server = await startFakeServer()
    server.desired = [{ task_id: 3, attempt: 1, want: 'cancel' }]
    server.fail({ match: /control$/, times: 1000, answer: { status: 403, body: '<html>no WebSockets here</html>' } })
    await using agent = runManager(server)
    await eventually('http only', () => agent.manager.state.phase === 'http_only')
    const ack = agent.messages.find(({ type }) => type === 'heartbeat_ack')
    expect(ack).toEqual({
      type: 'heartbeat_ack',
      payload: { desired: server.desired, draining: false, store_epoch: 1 },
    })
    expect(agent.manager.state.problem).toContain('403')
    server.heal()
    await eventually('the connection', () => agent.manager.state.phase === 'connected')
  })

  it('reads its secrets again when the key is refused, and connects with the new ones', async () => {
    await using server = await startFakeServer()
    let key = { appKey: 'old', appSecret: 'old' }
    const credentials = {
      current: () => key,
      reread: async () => {
        key = { appKey: server.key.app_key, appSecret: server.key.app_secret }
        return true
      },
    }
    await using agent = runManager(server, { credentials })
    await eventually('the connection', () => agent.manager.state.phase === 'connected')
    expect(agent.states.map(({ phase }) => phase)).toContain('unauthorized')
  })

  it.each([
    ['replaced', closeCodes.replaced],
    ['identity_in_use', closeCodes.identityInUse],
  ])('ends as %s when the server says so, with its reason', async (end, code) => {
    await using server = await startFakeServer()
    await using agent = runManager(server)
    await server.message('hello')
    server.dropSockets(code, 'agent "b" on host-2')
    expect(await agent.ended).toEqual({ end, reason: 'agent "b" on host-2' })
    expect(agent.manager.state.phase).toBe('stopped')
  })

  it.each([
    ['unauthorized', closeCodes.unauthorized],
    ['version_skew', closeCodes.versionSkew],
  ])('goes on trying after a close for %s', async (phase, code) => {
    await using server = await startFakeServer()
    await using agent = runManager(server)
    await server.message('hello')
    server.dropSockets(code)
    await eventually('the state', () => agent.states.some((state) => state.phase === phase))
    await eventually('the connection', () => agent.manager.state.phase === 'connected')
  })

  it('closes its connection when it stops', async () => {
    await using server = await startFakeServer()
    {
      await using agent = runManager(server)
      await eventually('the connection', () => agent.manager.state.phase === 'connected')
    }
    await eventually('no connection', () => server.connections === 0)
  })
})

describe('live log frames', () => {
  it('arrive whole and in order as one compressed stream per connection', async () => {
    await using server = await startFakeServer()
    const task = server.addTask()
    await using agent = runManager(server)
    const header = { task_id: task.id, attempt: 1, phase: 'plan' as const }
    // text and noise: what does not compress must fit its frame too
    const bytes = Buffer.concat([Buffer.from('line\n'.repeat(20_000)), randomBytes(70_000)])
    await eventually('the connection', () => agent.manager.live.isOpen)
    expect(await agent.manager.live.send({ ...header, offset: 0 }, bytes.subarray(0, 90_000))).toBe(true)
    await eventually('the first part', () => task.log.length === 90_000)
    server.dropSockets()
    await eventually('a new connection', () => server.received.filter(({ type }) => type === 'hello').length === 2)
    await eventually('the lane', () => agent.manager.live.isOpen)
    const [one, two] = await Promise.all([
      agent.manager.live.send({ ...header, offset: 90_000 }, bytes.subarray(90_000, 130_000)),
      agent.manager.live.send({ ...header, offset: 130_000 }, bytes.subarray(130_000)),
    ])
    expect([one, two]).toEqual([true, true])
    await eventually('all of it', () => task.log.length === bytes.length)
    expect(task.log.equals(bytes)).toBe(true)
    const acks = agent.messages.filter(({ type }) => type === 'log_ack')
    expect(acks.at(-1)?.payload).toEqual({ task_id: task.id, attempt: 1, next_offset: bytes.length })
    expect(Math.max(...server.frameBytes)).toBeLessThanOrEqual(16 * 1024)
  })

  it('are refused without a connection', async () => {
    await using server = await startFakeServer()
    await using agent = runManager(server)
    server.dropSockets()
    const header = { task_id: 1, attempt: 1, phase: 'plan' as const, offset: 0 }
    await eventually('no lane', () => !agent.manager.live.isOpen)
    expect(await agent.manager.live.send(header, Buffer.from('x'))).toBe(false)
  })
})
