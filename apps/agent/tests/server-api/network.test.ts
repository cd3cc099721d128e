import { createHash } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { eventually, type FakeServer, startFakeServer, temporaryDirectory } from '@iac-agent/testkit'
import { describe, expect, it } from 'vitest'
import { createNetwork } from '../../src/server-api/network.js'
import { RemoteDataAccessor } from '../../src/server-api/remote-data-accessor.js'
import { startConnectProxy } from '../_util/connect-proxy.js'
import { connect } from '../_util/connection.js'
import { selfSignedCertificate } from '../_util/self-signed-certificate.js'
import { startTlsFront } from '../_util/tls-front.js'
import { runManager } from '../control/_manager.js'

const certificate = selfSignedCertificate()
const at = (server: FakeServer, url: string) => ({ url, key: server.key })

describe('a server whose certificate is of a private authority', () => {
  it('is trusted with the CA file, by HTTP and WebSocket', async () => {
    await using server = await startFakeServer()
    await using front = await startTlsFront(certificate, new URL(server.url))
    const settings = { ca: certificate.cert }
    await using request = connect(at(server, front.url), { settings })
    const task = server.addTask()
    const accessor = new RemoteDataAccessor(request, { taskId: task.id, leaseToken: task.lease })
    expect((await accessor.getTaskData()).task.id).toBe(task.id)
    await using agent = runManager(at(server, front.url), { settings })
    await eventually('the connection', () => agent.manager.state.phase === 'connected')
  })

  it('is not trusted without it, and the reason is told', async () => {
    await using server = await startFakeServer()
    await using front = await startTlsFront(certificate, new URL(server.url))
    await using request = connect(at(server, front.url))
    const accessor = new RemoteDataAccessor(request, { taskId: 1, leaseToken: 'x' })
    await expect(accessor.getTaskData()).rejects.toMatchObject({
      name: 'ServerUnreachable',
      code: 'unreachable',
      message: expect.stringContaining('self-signed certificate'),
    })
    await using agent = runManager(at(server, front.url))
    await eventually('the problem', () => agent.manager.state.problem?.includes('self-signed certificate'))
  })
})

describe('behind a proxy that asks for a password', () => {
  it('HTTP and WebSocket go through it, plain and over TLS', async () => {
    await using server = await startFakeServer()
    await using front = await startTlsFront(certificate, new URL(server.url))
    await using proxy = await startConnectProxy()
    const task = server.addTask()
    for (const url of [server.url, front.url]) {
      const settings = { httpProxy: proxy.url, httpsProxy: proxy.url, ca: certificate.cert }
      await using request = connect(at(server, url), { settings })
      const accessor = new RemoteDataAccessor(request, { taskId: task.id, leaseToken: task.lease })
      expect((await accessor.getTaskData()).task.id).toBe(task.id)
      await using agent = runManager(at(server, url), { settings })
      await eventually('the connection', () => agent.manager.state.phase === 'connected')
    }
    const hosts = [new URL(server.url).host, new URL(front.url).host]
    expect(proxy.tunnels).toEqual([hosts[0], hosts[0], hosts[1], hosts[1]])
  })

  it('a wrong password is told, and is the network, not a verdict', async () => {
    await using server = await startFakeServer()
    await using proxy = await startConnectProxy()
    const settings = { httpProxy: proxy.url.replace('ops:', 'dev:') }
    await using request = connect(server, { settings })
    const accessor = new RemoteDataAccessor(request, { taskId: 1, leaseToken: 'x' })
    await expect(accessor.getTaskData()).rejects.toMatchObject({
      name: 'ServerUnreachable',
      message: expect.stringContaining('407'),
    })
    await using agent = runManager(server, { settings })
    await eventually('the problem', () => agent.manager.state.problem?.includes('407'))
    expect(proxy.tunnels).toEqual([])
  })

  it('hosts of NO_PROXY are reached straight', async () => {
    await using server = await startFakeServer()
    await using proxy = await startConnectProxy()
    const settings = { httpProxy: proxy.url, noProxy: 'example.com, 127.0.0.1' }
    const task = server.addTask()
    await using request = connect(server, { settings })
    const accessor = new RemoteDataAccessor(request, { taskId: task.id, leaseToken: task.lease })
    await accessor.getTaskData()
    await using agent = runManager(server, { settings })
    await eventually('the connection', () => agent.manager.state.phase === 'connected')
    expect([...proxy.tunnels, ...proxy.refused]).toEqual([])
  })
})

describe('the choice of a proxy', () => {
  it.each([
    ['https://a.example.com', { httpsProxy: 'http://p:1' }, 'http://p:1/'],
    ['wss://a.example.com', { httpsProxy: 'http://p:1' }, 'http://p:1/'],
    ['http://a.example.com', { httpsProxy: 'http://p:1' }, undefined],
    ['https://a.example.com', { httpProxy: 'p:1' }, 'http://p:1/'],
    ['https://a.example.com', { httpsProxy: 'http://p:1', noProxy: '*' }, undefined],
    ['https://a.example.com', { httpsProxy: 'http://p:1', noProxy: '.example.com' }, undefined],
    ['https://example.com', { httpsProxy: 'http://p:1', noProxy: 'EXAMPLE.com' }, undefined],
    ['https://notexample.com', { httpsProxy: 'http://p:1', noProxy: 'example.com' }, 'http://p:1/'],
    ['https://a.example.com', { httpsProxy: 'http://p:1', noProxy: 'a.example.com:8443' }, 'http://p:1/'],
    ['https://a.example.com:8443', { httpsProxy: 'http://p:1', noProxy: 'a.example.com:8443' }, undefined],
  ])('for %s with %j is %s', async (url, settings, expected) => {
    await using network = createNetwork(settings)
    expect(network.proxyFor(new URL(url))?.href).toBe(expected)
  })
})

describe('a server under a path prefix', () => {
  it('gets the prefix before each path', async () => {
    await using server = await startFakeServer()
    await using request = connect(at(server, `${server.url}/iac/`))
    const accessor = new RemoteDataAccessor(request, { taskId: 1, leaseToken: 'x' })
    await expect(accessor.getTaskData()).rejects.toThrow()
    expect(server.requests).toEqual(['GET /iac/api/v1/agents/tasks/1/data'])
  })
})

describe('files', () => {
  it('come whole and checked, and go as they are', async () => {
    await using server = await startFakeServer()
    await using directory = await temporaryDirectory('transfer')
    const state = Buffer.from(`{"serial":1,"big":12345678901234567890,"pad":"${'x'.repeat(300_000)}"}`)
    const task = server.addTask({ state })
    await using request = connect(server)
    const accessor = new RemoteDataAccessor(request, { taskId: task.id, leaseToken: task.lease })
    const path = join(directory.path, 'state')
    expect(await accessor.getState(path)).toEqual({ version: 1 })
    expect((await readFile(path)).equals(state)).toBe(true)
    expect(await accessor.saveState(path, sha256Of(state))).toEqual({
      late: false,
      epoch: 1,
      rescued: false,
      version: 1,
    })
    expect(task.states[0]?.equals(state)).toBe(true)
    await accessor.savePlan(path)
    expect(await accessor.getPlan(join(directory.path, 'plan'))).toEqual({
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    })
    expect((await readFile(join(directory.path, 'plan'))).equals(state)).toBe(true)
  })

  it('of states are packed on the way to another host', async () => {
    await using server = await startFakeServer()
    await using directory = await temporaryDirectory('transfer')
    const state = Buffer.from(`{"serial":1,"pad":"${'x'.repeat(300_000)}"}`)
    const path = join(directory.path, 'state')
    await writeFile(path, state)
    const task = server.addTask()
    // on Linux this is the same host by a name that does not say so
    await using request = connect(at(server, server.url.replace('127.0.0.1', '0.0.0.0')))
    const accessor = new RemoteDataAccessor(request, { taskId: task.id, leaseToken: task.lease })
    expect(request.isLoopback).toBe(false)
    await accessor.saveState(path, sha256Of(state))
    expect(task.states[0]?.equals(state)).toBe(true)
  })

  it('that are not what was hashed when they were written are refused', async () => {
    await using server = await startFakeServer()
    await using directory = await temporaryDirectory('transfer')
    const path = join(directory.path, 'state')
    await writeFile(path, '{"serial":1}')
    const task = server.addTask()
    await using request = connect(server)
    const accessor = new RemoteDataAccessor(request, { taskId: task.id, leaseToken: task.lease })
    await expect(accessor.saveState(path, sha256Of('{"serial":2}'))).rejects.toThrow()
    expect(task.states).toEqual([])
  })

  it('are undefined when the workspace has no state', async () => {
    await using server = await startFakeServer()
    await using directory = await temporaryDirectory('transfer')
    const task = server.addTask()
    await using request = connect(server)
    const accessor = new RemoteDataAccessor(request, { taskId: task.id, leaseToken: task.lease })
    expect(await accessor.getState(join(directory.path, 'state'))).toBeUndefined()
  })
})

function sha256Of(bytes: Buffer | string): string {
  return createHash('sha256').update(bytes).digest('hex')
}
