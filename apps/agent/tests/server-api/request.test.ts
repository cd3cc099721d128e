import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { silentLogger } from '@iac-agent/runtime'
import { refusal, startFakeServer } from '@iac-agent/testkit'
import { describe, expect, it } from 'vitest'
import { isRetryable } from '../../src/server-api/errors.js'
import { RemoteDataAccessor } from '../../src/server-api/remote-data-accessor.js'
import { Retry } from '../../src/server-api/retry.js'
import { connect } from '../_util/connection.js'

const key = { app_key: 'k', app_secret: 's' }

async function serve(listener: RequestListener): Promise<{ url: string; key: typeof key } & AsyncDisposable> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    key,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const attempt = { taskId: 1, leaseToken: 'lease-1-1' }

describe('a request', () => {
  it('says who asks: key, secret, agent and lease', async () => {
    let seen: Record<string, unknown> = {}
    await using server = await serve((request, response) => {
      seen = request.headers
      response.end('{"next_offset":5}')
    })
    await using request = connect(server)
    expect(await new RemoteDataAccessor(request, attempt).nextLogOffset('plan')).toBe(5)
    expect(seen).toMatchObject({
      'x-app-key': 'k',
      'x-app-secret': 's',
      'x-agent-id': 'agent-1',
      'x-task-lease': 'lease-1-1',
    })
  })

  it.each([
    ['an HTML page with 502', 502, '<html>bad gateway</html>'],
    ['an HTML page with 403', 403, '<html>blocked by policy</html>'],
    ['a portal that says 200', 200, '<html>please sign in</html>'],
    ['JSON that is not ours', 409, '{"error":"conflict"}'],
    ['a code we do not know', 400, '{"error":{"code":"telepathy","message":"?","details":{}},"request_id":"1"}'],
  ])('takes %s for the network: retryable, no verdict', async (_, status, body) => {
    await using server = await serve((_request, response) => response.writeHead(status).end(body))
    await using request = connect(server)
    const err = await new RemoteDataAccessor(request, attempt).nextLogOffset('plan').catch((reason: unknown) => reason)
    expect(err).toMatchObject({ name: 'ServerUnreachable', code: 'not_our_answer' })
    expect(isRetryable(err)).toBe(true)
  })

  it('takes our error code for a verdict', async () => {
    await using server = await startFakeServer()
    server.fail({ match: /start$/, answer: refusal('plan_stale', 'The state has moved on.', { base: 3 }) })
    server.addTask()
    await using request = connect(server)
    const err = await new RemoteDataAccessor(request, attempt).startApply('s1').catch((reason: unknown) => reason)
    expect(err).toMatchObject({
      name: 'ServerRefused',
      code: 'plan_stale',
      message: 'The state has moved on.',
      details: { base: 3 },
    })
    expect(isRetryable(err)).toBe(false)
  })

  it('fails when nothing moves, and not while something does', async () => {
    await using server = await serve((request, response) => {
      if (request.url?.includes('phase=apply')) return // never answered
      response.writeHead(200).write('{"next_')
      const pieces = ['off', 'set":', '7', '}']
      const timer = setInterval(() => {
        const piece = pieces.shift()
        if (piece !== undefined) return void response.write(piece)
        clearInterval(timer)
        response.end()
      }, 60)
    })
    await using request = connect(server, { idleTimeoutMs: 150 })
    const accessor = new RemoteDataAccessor(request, attempt)
    expect(await accessor.nextLogOffset('plan')).toBe(7)
    await expect(accessor.nextLogOffset('apply')).rejects.toMatchObject({ code: 'timeout' })
  })

  it('leaves at once when its signal aborts', async () => {
    await using server = await serve(() => undefined)
    await using request = connect(server)
    const stop = new AbortController()
    const answer = new RemoteDataAccessor(request, attempt, stop.signal).nextLogOffset('plan')
    stop.abort(new Error('the process leaves'))
    await expect(answer).rejects.toThrow('the process leaves')
  })
})

describe('retry', () => {
  it('reads secrets again after a 401 of ours and goes on with the new ones', async () => {
    await using server = await startFakeServer()
    server.addTask()
    let now = { appKey: 'old', appSecret: 'old' }
    const credentials = {
      current: () => now,
      reread: async () => {
        now = { appKey: server.key.app_key, appSecret: server.key.app_secret }
        return true
      },
    }
    await using request = connect(server, { credentials })
    const accessor = new RemoteDataAccessor(request, attempt)
    const retry = new Retry({ log: silentLogger(), firstMs: 1 })
    expect(await retry.run('offset', new AbortController().signal, () => accessor.nextLogOffset('plan'))).toBe(0)
  })

  it('waits as long as Retry-After asks, however often it is woken', async () => {
    await using server = await startFakeServer()
    server.addTask()
    server.fail({ match: /./, answer: { ...refusal('rate_limited', 'Slow down.'), headers: { 'retry-after': '1' } } })
    await using request = connect(server)
    const accessor = new RemoteDataAccessor(request, attempt)
    const retry = new Retry({ log: silentLogger(), firstMs: 1 })
    const began = performance.now()
    const waking = setInterval(() => retry.wake(), 20)
    await retry.run('offset', new AbortController().signal, () => accessor.nextLogOffset('plan'))
    clearInterval(waking)
    expect(performance.now() - began).toBeGreaterThan(990)
  })

  it('is woken from a long pause when the server is reached again', async () => {
    await using server = await startFakeServer()
    server.addTask()
    server.fail({ match: /./, answer: 'cut' })
    await using request = connect(server)
    const accessor = new RemoteDataAccessor(request, attempt)
    const retry = new Retry({ log: silentLogger(), firstMs: 60_000, maxMs: 60_000, random: () => 1 })
    const waking = setInterval(() => retry.wake(), 20)
    expect(await retry.run('offset', new AbortController().signal, () => accessor.nextLogOffset('plan'))).toBe(0)
    clearInterval(waking)
  })

  it('ends with the reason when aborted while waiting', async () => {
    const retry = new Retry({ log: silentLogger(), firstMs: 60_000, random: () => 1 })
    await using request = connect({ url: 'http://127.0.0.1:1', key })
    const stop = new AbortController()
    const answer = retry.run('offset', stop.signal, () => {
      setTimeout(() => stop.abort(new Error('enough')), 50)
      return new RemoteDataAccessor(request, attempt).nextLogOffset('plan')
    })
    await expect(answer).rejects.toThrow('enough')
  })
})
