import { randomBytes } from 'node:crypto'
import { connect } from 'node:net'
import { gzipSync } from 'node:zlib'
import { allEndpoints, limits, type Task } from '@iac-agent/protocol'
import { startFakeAgent } from '@iac-agent/testkit'
import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sealText } from '../../src/store/secret-box.js'
import { TestServer } from '../_util/test-server.js'

let server: TestServer
beforeAll(async () => {
  server = await TestServer.start()
})
afterAll(() => server[Symbol.asyncDispose]())

const json = { 'content-type': 'application/json' }
const invalid = { status: 400, code: 'invalid_request' }

describe('a bad body', () => {
  it('that is not JSON is refused saying so', async () => {
    const refused = await server.refused('POST', '/api/v1/pools', { headers: json, body: '{"name":' })
    expect(refused).toMatchObject(invalid)
    expect(refused.message).toMatch(/^body: is not valid JSON/)
    const bytes = await server.refused('POST', '/api/v1/pools', {
      headers: json,
      body: Buffer.from([0x22, 0xff, 0x22]),
    })
    expect(bytes).toMatchObject({ ...invalid, message: 'body: is not UTF-8' })
  })

  it('that is not JSON is refused without a word of it', async () => {
    const body = '{"key":"password","category":"terraform","value":hunter2}'
    const { message } = await server.refused('POST', '/api/v1/pools', { headers: json, body })
    expect(message).toMatch(/^body: is not valid JSON/)
    expect(message).not.toContain('hunt')
  })

  it('with a wrong type, a missing or an unknown field names the field', async () => {
    const call = (body: object) => server.refused('POST', '/api/v1/pools', { body })
    expect(await call({ name: 7 })).toMatchObject({ ...invalid, details: { field: '/name' } })
    expect(await call({})).toMatchObject({ ...invalid, message: 'body: /name is required' })
    expect(await call({ name: 'a', color: 'red' })).toMatchObject({
      ...invalid,
      message: 'body: /color is not a known field',
    })
    expect(await call([])).toMatchObject(invalid)
  })

  it('is not coerced: "3" is no number, "true" no boolean', async () => {
    const { poolId } = await server.createPoolAndKey('coerce')
    const body = { name: 'coerced', pool_id: poolId, auto_apply: 'true' }
    expect(await server.refused('POST', '/api/v1/workspaces', { body })).toMatchObject({
      details: { field: '/auto_apply' },
    })
    const key = { body: { expires_in_days: '3' } }
    expect(await server.refused('POST', `/api/v1/pools/${poolId}/keys`, key)).toMatchObject({
      details: { field: '/expires_in_days' },
    })
  })

  it('of another type is 415, naming what is taken', async () => {
    const xml = { headers: { 'content-type': 'text/xml' }, body: '<a/>' }
    expect(await server.refused('POST', '/api/v1/pools', xml)).toMatchObject({
      status: 415,
      code: 'unsupported_media_type',
      message: 'the body must be application/json',
    })
    const brotli = { headers: { ...json, 'content-encoding': 'br' }, body: '{}' }
    expect(await server.refused('POST', '/api/v1/pools', brotli)).toMatchObject({ status: 415 })
  })

  it('that is too large is 413, declared or not', async () => {
    const large = JSON.stringify({ name: 'x'.repeat(limits.jsonBodyBytes) })
    expect(await server.refused('POST', '/api/v1/pools', { headers: json, body: large })).toMatchObject({
      status: 413,
      code: 'too_large',
      details: { limit_bytes: limits.jsonBodyBytes },
    })
    const stream = new Blob([large]).stream()
    expect(await server.refused('POST', '/api/v1/pools', { headers: json, body: stream })).toMatchObject({
      code: 'too_large',
    })
  })

  it('that unpacks to more than the bound is 413, and broken gzip 400', async () => {
    const headers = { ...json, 'content-encoding': 'gzip' }
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024, 0x20))
    expect(bomb.length).toBeLessThan(limits.jsonBodyBytes)
    expect(await server.refused('POST', '/api/v1/pools', { headers, body: bomb })).toMatchObject({ code: 'too_large' })
    const broken = { headers, body: gzipSync('{"name":"a"}').subarray(0, 12) }
    expect(await server.refused('POST', '/api/v1/pools', broken)).toMatchObject({
      ...invalid,
      message: 'the body is not valid gzip',
    })
    const packed = { headers, body: gzipSync('{"name":"packed"}') }
    expect(await server.ok('POST', '/api/v1/pools', packed)).toMatchObject({ name: 'packed' })
  })

  it('that is absent or empty counts as {}', async () => {
    const { id } = await server.createPool('empty-body')
    await server.ok('POST', `/api/v1/pools/${id}/keys`)
    await server.ok('POST', `/api/v1/pools/${id}/keys`, { headers: json, body: '' })
    await server.ok('POST', `/api/v1/pools/${id}/keys`, { headers: json, body: '{}' })
  })

  it('that breaks off leaves the server well', async () => {
    const { port } = new URL(server.url)
    const socket = connect(Number(port), '127.0.0.1')
    socket.write(
      'POST /api/v1/pools HTTP/1.1\r\nhost: x\r\nauthorization: Bearer test-admin-token\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"na',
    )
    socket.end()
    let answer = ''
    for await (const chunk of socket) answer += chunk
    expect(answer).toMatch(/^HTTP\/1\.1 400 .*"code":"invalid_request"/s)
    await server.ok('GET', '/api/v1/pools')
  })
})

describe('a bad path or query', () => {
  it('is 404 for what does not exist, naming it', async () => {
    for (const path of [
      '/pools/pool-none',
      '/workspaces/ws-none',
      '/workspaces/name:none',
      '/tasks/999999',
      '/state-versions/999999',
      '/agents/none',
    ])
      expect(await server.refused('GET', `/api/v1${path}`), path).toMatchObject({ status: 404, code: 'not_found' })
    expect(await server.refused('GET', '/api/v1/nothing')).toMatchObject({ status: 404, code: 'not_found' })
    expect((await server.refused('GET', '/api/v1/workspaces/name:none')).message).toBe(
      'workspace name:none does not exist',
    )
  })

  it('is 400 for an id that cannot be one', async () => {
    expect(await server.refused('GET', '/api/v1/tasks/abc')).toMatchObject({ ...invalid, details: { field: '/id' } })
    expect(await server.refused('GET', '/api/v1/tasks/9007199254740993')).toMatchObject(invalid)
    expect(await server.refused('GET', '/api/v1/tasks/1.5')).toMatchObject(invalid)
  })

  it('is 400 when it is not even a path', async () => {
    expect(await server.refused('GET', '/api/v1/pools/%zz')).toMatchObject(invalid)
  })

  it('has its numbers converted and then bounded', async () => {
    await server.ok('GET', '/api/v1/pools?limit=10')
    expect(await server.refused('GET', '/api/v1/pools?limit=201')).toMatchObject({
      ...invalid,
      details: { field: '/limit' },
    })
    expect(await server.refused('GET', '/api/v1/pools?limit=ten')).toMatchObject(invalid)
  })

  it('is 405 with Allow for a method that is not known there', async () => {
    const answer = await server.call('PUT', '/api/v1/pools')
    expect(answer).toMatchObject({ status: 405, json: { error: { code: 'method_not_allowed' } } })
    expect(answer.headers.get('allow')).toBe('GET, POST')
    expect((await server.call('POST', '/livez', { token: null })).headers.get('allow')).toBe('GET')
    expect((await server.call('PATCH', '/api/v1/tasks/7/cancel')).headers.get('allow')).toBe('POST')
  })

  it('is 405 for each contract, and never 404', async () => {
    for (const { path, method } of allEndpoints) {
      const concrete = path.replaceAll(/:\w+/g, '1')
      const answer = await server.call('OPTIONS', concrete, { token: null })
      expect(answer.status, `${method} ${path}`).toBe(405)
      expect(answer.headers.get('allow')?.split(', ')).toContain(method)
    }
  })
})

describe('a fault of our own', () => {
  it('is one too when a document in the store is damaged', async () => {
    await using server = await TestServer.start()
    const { poolId, key } = await server.createPoolAndKey()
    const workspace = await server.createWorkspace(poolId)
    await using agent = await startFakeAgent({ url: server.url, key })
    const { id } = await server.ok<Task>('POST', `/api/v1/workspaces/${workspace.id}/tasks`, {
      body: { task_type: 'plan' },
    })
    const { lease_token: lease = '' } = await agent.next('run_task')
    await server.store.transaction('create_task', (tx) =>
      tx.db
        .updateTable('task_snapshots')
        .set({ document: sealText('{"workspace":{}}') })
        .execute(),
    )
    const answer = await agent.http('GET', `/tasks/${id}/data`, { lease })
    expect(answer.status).toBe(500)
    expect(await answer.text()).not.toContain('workspace')
  })

  it('says internal error and a request id, and nothing else; the log has the rest', async () => {
    const lines: string[] = []
    const logger = pino({ level: 'error' }, { write: (line: string) => void lines.push(line) })
    await using broken = await TestServer.start({ logger })
    await broken.store.transaction('create_token', (tx) =>
      tx.db.schema.alterTable('pools').renameTo('secret_pools').execute(),
    )
    const answer = await broken.call('GET', '/api/v1/pools')
    const requestId = answer.headers.get('x-request-id')
    expect(answer).toMatchObject({ status: 500 })
    expect(answer.json).toEqual({
      error: { code: 'internal', message: 'internal error', details: {} },
      request_id: requestId,
    })
    expect(lines.join()).toContain(requestId)
    expect(lines.join()).toContain('no such table: pools')
  })

  it('each answer, also a good one, has its own request id', async () => {
    const [a, b] = await Promise.all([server.call('GET', '/livez'), server.call('GET', '/livez')])
    expect(a.headers.get('x-request-id')).toMatch(/^req-/)
    expect(a.headers.get('x-request-id')).not.toBe(b.headers.get('x-request-id'))
  })
})

describe('random bytes', () => {
  it('on any operator path never make a 5xx', async () => {
    for (const { method, path, body } of allEndpoints) {
      if (body === undefined || path.includes('/agents/')) continue
      const type = body.json === undefined ? (body.raw?.[0] ?? '') : 'application/json'
      const answer = await server.call(method, path.replaceAll(/:\w+/g, '1'), {
        headers: { 'content-type': type },
        body: randomBytes(2000),
      })
      expect(answer.status, `${method} ${path}`).toBeGreaterThanOrEqual(400)
      expect(answer.status, `${method} ${path}`).toBeLessThan(500)
    }
  })
})
