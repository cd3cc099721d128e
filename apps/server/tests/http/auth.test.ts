import type { NewPoolKey } from '@iac-agent/protocol'
import { pino } from 'pino'
import { describe, expect, it } from 'vitest'
import { adminToken, TestServer } from '../_util/test-server.js'

const keyHeaders = (key: { app_key: string; app_secret: string }) => ({
  'x-app-key': key.app_key,
  'x-app-secret': key.app_secret,
})
/** Any agent route does: without credentials none of them says whether the thing exists. */
const agentRoute = '/api/v1/agents/nobody/cc-status'

describe('operator tokens', () => {
  it('refuse a request without, with a wrong and with a deleted token', async () => {
    await using server = await TestServer.start()
    expect(await server.refused('GET', '/api/v1/pools', { token: null })).toMatchObject({
      status: 401,
      code: 'unauthorized',
    })
    expect(await server.refused('GET', '/api/v1/pools', { token: 'wrong' })).toMatchObject({
      status: 401,
      code: 'unauthorized',
    })
    const made = await server.ok<{ id: string; token: string }>('POST', '/api/v1/tokens', {
      body: { name: 'ci', role: 'operator' },
    })
    await server.ok('GET', '/api/v1/pools', { token: made.token })
    await server.ok('DELETE', `/api/v1/tokens/${made.id}`)
    expect(await server.refused('GET', '/api/v1/pools', { token: made.token })).toMatchObject({ code: 'unauthorized' })
  })

  it('allow what their role allows and no more', async () => {
    await using server = await TestServer.start()
    const pool = await server.createPool()
    const reader = await server.createToken('looker', 'read_only')
    const operator = await server.createToken('runner', 'operator')
    const body = { name: 'prod', pool_id: pool.id }
    expect(await server.refused('POST', '/api/v1/workspaces', { token: reader, body })).toMatchObject({
      status: 403,
      code: 'forbidden',
    })
    await server.ok('POST', '/api/v1/workspaces', { token: operator, body })
    await server.ok('GET', '/api/v1/workspaces/name:prod', { token: reader })
    expect(await server.refused('POST', '/api/v1/pools', { token: operator, body: { name: 'x' } })).toMatchObject({
      status: 403,
      message: 'this needs the role admin; the token has operator',
    })
    expect(await server.refused('GET', '/api/v1/tokens', { token: operator })).toMatchObject({ code: 'forbidden' })
    expect(await server.refused('GET', '/api/v1/workspaces/name:prod/state', { token: reader })).toMatchObject({
      code: 'forbidden',
    })
    expect(await server.refused('DELETE', '/api/v1/agents/a1', { token: reader })).toMatchObject({ code: 'forbidden' })
  })

  it('are shown once and never listed', async () => {
    await using server = await TestServer.start()
    const token = await server.createToken('ci', 'operator')
    const { bytes } = await server.call('GET', '/api/v1/tokens')
    expect(bytes.toString()).toContain('"ci"')
    expect(bytes.toString()).not.toContain(token)
    expect(await server.refused('POST', '/api/v1/tokens', { body: { name: 'ci', role: 'admin' } })).toMatchObject({
      code: 'conflict',
    })
    expect(await server.refused('POST', '/api/v1/tokens', { body: { name: 'operator', role: 'admin' } })).toMatchObject(
      { code: 'conflict' },
    )
  })
})

describe('pool keys', () => {
  it('refuse missing, wrong, unknown and revoked pairs alike', async () => {
    await using server = await TestServer.start()
    const { poolId, key } = await server.createPoolAndKey()
    const call = (headers: Record<string, string>) => server.refused('GET', agentRoute, { token: null, headers })
    expect(await call({})).toMatchObject({ status: 401, code: 'unauthorized' })
    const wrong = await call({ ...keyHeaders(key), 'x-app-secret': 'wrong' })
    expect(wrong).toMatchObject({ status: 401, code: 'unauthorized' })
    expect(await call(keyHeaders({ app_key: 'iak_none', app_secret: key.app_secret }))).toEqual(wrong)
    expect(await call(keyHeaders(key))).toMatchObject({ status: 404 })
    await server.ok('DELETE', `/api/v1/pools/${poolId}/keys/${key.id}`)
    expect(await call(keyHeaders(key))).toEqual(wrong)
  })

  it('expire when asked to, and only then', async () => {
    let now = Date.now()
    await using server = await TestServer.start({ clock: { now: () => now, monotonic: () => performance.now() } })
    const { poolId, key: lasting } = await server.createPoolAndKey()
    const key = await server.ok<{ app_key: string; app_secret: string; expires_at: string }>(
      'POST',
      `/api/v1/pools/${poolId}/keys`,
      { body: { expires_in_days: 1 } },
    )
    expect(Date.parse(key.expires_at)).toBe(now + 86_400_000)
    const call = (pair: typeof key | typeof lasting) =>
      server.call('GET', agentRoute, { token: null, headers: keyHeaders(pair) })
    expect((await call(key)).status).toBe(404)
    now += 86_400_001
    expect((await call(key)).status).toBe(401)
    expect((await call(lasting)).status).toBe(404)
  })

  it('are warned of once, 14 days before they expire, however long they are in use', async () => {
    const dayMs = 86_400_000
    let now = Date.now()
    const warnings: { key_id: string; expires_at: string }[] = []
    const logger = pino({ level: 'warn' }, { write: (line: string) => void warnings.push(JSON.parse(line)) })
    const clock = { now: () => now, monotonic: () => now }
    await using server = await TestServer.start({ clock, logger })
    const { poolId } = await server.createPoolAndKey()
    const key = await server.ok<NewPoolKey>('POST', `/api/v1/pools/${poolId}/keys`, { body: { expires_in_days: 30 } })
    const use = () => server.call('GET', agentRoute, { token: null, headers: keyHeaders(key) })
    const ours = () => warnings.filter((one) => one.key_id === key.id)
    for (let day = 0; day < 16; day++, now += dayMs) await use()
    expect(ours()).toEqual([])
    for (; now < Date.parse(key.expires_at ?? ''); now += dayMs) expect((await use()).status).toBe(404)
    expect(ours()).toMatchObject([{ expires_at: key.expires_at, msg: 'pool key expires within 14 days' }])
  })

  it('of a deleted pool are refused at once', async () => {
    await using server = await TestServer.start()
    const { poolId, key } = await server.createPoolAndKey()
    const call = () => server.call('GET', agentRoute, { token: null, headers: keyHeaders(key) })
    expect((await call()).status).toBe(404)
    await server.ok('DELETE', `/api/v1/pools/${poolId}`)
    expect((await call()).status).toBe(401)
  })

  it('are stored hashed and listed without their secret', async () => {
    await using server = await TestServer.start()
    const { poolId, key } = await server.createPoolAndKey()
    const { bytes } = await server.call('GET', `/api/v1/pools/${poolId}/keys`)
    expect(bytes.toString()).toContain(key.app_key)
    expect(bytes.toString()).not.toContain(key.app_secret)
    const rows = await server.store.read((reader) => reader.db.selectFrom('pool_keys').selectAll().execute())
    expect(JSON.stringify(rows)).not.toContain(key.app_secret)
  })

  it('do not open the operator API, nor does a token open the agent API', async () => {
    await using server = await TestServer.start()
    const { key } = await server.createPoolAndKey()
    expect(await server.refused('GET', '/api/v1/pools', { token: null, headers: keyHeaders(key) })).toMatchObject({
      status: 401,
    })
    const register = { token: adminToken, body: {} }
    expect(await server.refused('POST', '/api/v1/agents/register', register)).toMatchObject({ status: 401 })
  })
})

describe('limits', () => {
  it('slow down an address that guesses, and let good credentials from it pass', async () => {
    await using server = await TestServer.start()
    for (let i = 0; i < 120; i++)
      expect((await server.call('GET', '/api/v1/pools', { token: `guess-${i}` })).status).toBe(401)
    const answer = await server.call('GET', '/api/v1/pools', { token: 'guess' })
    expect(answer.status).toBe(429)
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0)
    await server.ok('GET', '/api/v1/pools')
  })

  it('count requests by credential', async () => {
    await using server = await TestServer.start({ operatorRateLimit: 5 })
    const other = await server.createToken('other', 'read_only')
    for (let i = 0; i < 4; i++) await server.ok('GET', '/api/v1/pools')
    const answer = await server.call('GET', '/api/v1/pools')
    expect(answer).toMatchObject({ status: 429, json: { error: { code: 'rate_limited' } } })
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0)
    await server.ok('GET', '/api/v1/pools', { token: other })
  })
})

describe('behind a trusted proxy', () => {
  const guess = (server: TestServer, forwardedFor: string) =>
    server.call('GET', '/api/v1/pools', { token: 'guess', headers: { 'x-forwarded-for': forwardedFor } })
  const guessTooOften = async (server: TestServer, forwardedFor: string) => {
    for (let i = 0; i < 120; i++) expect((await guess(server, forwardedFor)).status).toBe(401)
    expect((await guess(server, forwardedFor)).status).toBe(429)
  }

  it('wrong credentials are counted by the address it names, not by its own', async () => {
    await using server = await TestServer.start({ trustedProxies: ['127.0.0.0/8', '10.0.0.1'] })
    await guessTooOften(server, '203.0.113.7')
    expect((await guess(server, '198.51.100.9, 203.0.113.7, 10.0.0.1')).status).toBe(429)
    expect((await guess(server, '203.0.113.8')).status).toBe(401)
  })

  it('nobody else’s word about the address counts', async () => {
    await using server = await TestServer.start({ trustedProxies: ['10.0.0.1'] })
    await guessTooOften(server, '203.0.113.7')
    expect((await guess(server, '203.0.113.8')).status).toBe(429)
  })
})
