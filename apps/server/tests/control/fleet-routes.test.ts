import { describe, expect, it } from 'vitest'
import { createPoolKey } from '../../src/domain/auth/pool-keys.js'
import { createPool } from '../../src/domain/auth/pools.js'
import { type SocketWorld, socketWorld } from './socket-world.js'

/** The key headers of another pool. */
async function strangers(world: SocketWorld): Promise<Record<string, string>> {
  const pool = await createPool(world, { name: 'other' })
  const key = await createPoolKey(world, { poolId: pool.id })
  return { 'x-app-key': key.app_key, 'x-app-secret': key.app_secret }
}

const facts = {
  name: 'runner',
  version: '1.0.0',
  protocol_version: 1,
  labels: { zone: 'eu' },
  plan_limit: 2,
  capabilities: { engines: ['terraform'] },
  work_root: '/work',
}

describe('registering', () => {
  it('makes an id, and takes the same id again as the same agent', async () => {
    await using world = await socketWorld()
    const { status, body } = await world.ask('POST', '/agents/register', {}, facts)
    expect(status).toBe(200)
    expect(body).toMatchObject({ pool_id: world.pool.id, heartbeat_interval_ms: 10_000, lease_ttl_ms: 60_000 })
    const again = { ...facts, agent_id: body.agent_id, plan_limit: 5 }
    expect((await world.ask('POST', '/agents/register', {}, again)).body.agent_id).toBe(body.agent_id)
    const { body: list } = await world.operate('GET', '/agents')
    expect(list.items).toMatchObject([{ id: body.agent_id, plan_limit: 5, registered: true, status: 'offline' }])
  })

  it('refuses an id of another pool, and fields that are wrong, by name', async () => {
    await using world = await socketWorld()
    await world.register('a')
    const foreign = await world.ask('POST', '/agents/register', await strangers(world), { ...facts, agent_id: 'a' })
    expect([foreign.status, foreign.body.error]).toMatchObject([403, { code: 'forbidden' }])
    const wrong = await world.ask('POST', '/agents/register', {}, { ...facts, plan_limit: 0 })
    expect([wrong.status, wrong.body.error]).toMatchObject([400, { message: expect.stringContaining('plan_limit') }])
  })
})

describe('deregistering', () => {
  it('is refused while the agent has live attempts', async () => {
    await using world = await socketWorld()
    await world.register('a')
    await using agent = await world.connect('a')
    agent.hello('a', 'one', 1)
    await world.operate('POST', '/workspaces/name:prod/tasks', { task_type: 'plan' })
    const { task_id } = await agent.next('run_task')
    const refused = await world.ask('DELETE', '/agents/a')
    expect([refused.status, refused.body.error]).toMatchObject([409, { details: { tasks: [task_id] } }])
  })

  it('removes the agent, whose connection ends with its next heartbeat', async () => {
    await using world = await socketWorld()
    await world.register('a')
    await using agent = await world.connect('a')
    agent.hello('a', 'one', 1)
    await agent.next('welcome')
    expect((await world.ask('DELETE', '/agents/a', await strangers(world))).status).toBe(403)
    expect((await world.ask('DELETE', '/agents/a')).status).toBe(200)
    agent.send({ type: 'heartbeat', payload: {} })
    expect(await agent.closed).toBe(4401)
    expect((await world.ask('GET', '/agents/a/cc-status')).status).toBe(404)
  })
})

describe('cc-status and the heartbeat over HTTP', () => {
  it('answer the own pool and operators only', async () => {
    await using world = await socketWorld()
    await world.register('a')
    expect((await world.operate('GET', '/agents/a/cc-status')).body).toMatchObject({ agent_id: 'a', connected: false })
    const foreign = await strangers(world)
    expect((await world.ask('GET', '/agents/a/cc-status', foreign)).status).toBe(403)
    expect((await world.ask('POST', '/agents/a/heartbeat', foreign, {})).status).toBe(403)
    const { body } = await world.ask('POST', '/agents/a/heartbeat', {}, { status: 'idle', current_tasks: [7] })
    expect(body).toEqual({ desired: [], draining: false, store_epoch: 1 })
  })
})

describe('the control path without an upgrade', () => {
  it('says what it is', async () => {
    await using world = await socketWorld()
    const { status, body } = await world.ask('GET', '/agents/control?agent_id=a')
    expect([status, body.error]).toMatchObject([400, { message: expect.stringContaining('WebSocket') }])
  })
})
