import { describe, expect, it } from 'vitest'
import { findAgent } from '../../src/store/agent-rows.js'
import { type SocketWorld, socketWorld } from './socket-world.js'

const own = { 'x-agent-secret': 'iag_of-this-agent-0123456789-abcdefghij' }
const wrong = { 'x-agent-secret': 'iag_of-another-one-0123456789-abcdefghi' }
const facts = {
  name: 'a',
  version: '1',
  protocol_version: 1,
  labels: {},
  plan_limit: 3,
  capabilities: {},
  work_root: '/w',
}

const register = (world: SocketWorld, headers: Record<string, string> = {}, agent_id = 'a') =>
  world.ask('POST', '/agents/register', headers, { ...facts, agent_id })
const connect = (world: SocketWorld, headers: Record<string, string>) =>
  world.connect('a', { ...world.keyHeaders, ...headers })

describe('an agent that has said its secret', () => {
  it.each([
    ['another', wrong],
    ['no', {}],
  ])('is not spoken for with %s secret, whatever boot epoch it claims', async (_, stranger) => {
    await using world = await socketWorld()
    expect((await register(world, own)).status).toBe(200)
    await using agent = await connect(world, own)
    agent.hello('a', 'one', 1)
    await agent.next('welcome')
    await expect(connect(world, stranger)).rejects.toThrow('upgrade answered 403')
    for (const answer of [
      await register(world, stranger),
      await world.ask('POST', '/agents/a/heartbeat', stranger, { status: 'idle' }),
      await world.ask('DELETE', '/agents/a', stranger),
    ]) {
      expect([answer.status, answer.body.error]).toMatchObject([
        403,
        { code: 'forbidden', details: { header: 'X-Agent-Secret' }, message: expect.stringContaining('DELETE') },
      ])
    }
    await world.operate('POST', '/workspaces/name:prod/tasks', { task_type: 'plan' })
    expect(await agent.next('run_task')).toMatchObject({ action: 'plan' })
  })

  it('goes on with it: registers again, connects again, beats and leaves', async () => {
    await using world = await socketWorld()
    for (let time = 0; time < 2; time++) {
      expect((await register(world, own)).status).toBe(200)
      await using agent = await connect(world, own)
      agent.hello('a', 'one', 1)
      await agent.next('welcome')
    }
    expect((await world.ask('POST', '/agents/a/heartbeat', own, {})).status).toBe(200)
    expect((await world.ask('DELETE', '/agents/a', own)).status).toBe(200)
  })

  it('that lost it is let in again after an operator deleted it', async () => {
    await using world = await socketWorld()
    await register(world, own)
    expect((await register(world, wrong)).status).toBe(403)
    expect((await world.operate('DELETE', '/agents/a')).status).toBe(200)
    expect((await register(world, wrong)).status).toBe(200)
    expect((await register(world, own)).status).toBe(403)
  })

  it('is known to the store by a hash alone', async () => {
    await using world = await socketWorld()
    await register(world, own)
    const row = await world.store.read((reader) => findAgent(reader, 'a'))
    expect(row?.secret_hash).toMatch(/^[0-9a-f]{64}$/)
    expect(JSON.stringify([row, (await world.operate('GET', '/agents/a')).body])).not.toContain('iag_')
  })
})

describe('an agent without a secret', () => {
  it('is served as ever: by any key of its pool', async () => {
    await using world = await socketWorld()
    await world.register('a')
    await world.register('a')
    await using agent = await connect(world, {})
    agent.hello('a', 'one', 1)
    await agent.next('welcome')
    expect((await world.ask('POST', '/agents/a/heartbeat', wrong, {})).status).toBe(200)
  })

  it('says one from its next registration on, and then turns out whoever took its place', async () => {
    await using world = await socketWorld()
    await world.register('a')
    await using stranger = await connect(world, {})
    stranger.hello('a', 'stranger', 1_000)
    await stranger.next('welcome')
    await register(world, own)
    await using agent = await connect(world, own)
    agent.hello('a', 'one', 2)
    await agent.next('welcome')
    expect(await stranger.closed).toBe(4409)
  })

  it('may not choose one that is short', async () => {
    await using world = await socketWorld()
    const { status, body } = await register(world, { 'x-agent-secret': 'short' })
    expect([status, body.error]).toMatchObject([400, { details: { field: 'X-Agent-Secret' } }])
  })
})
