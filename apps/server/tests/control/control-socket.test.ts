import { constants, createDeflateRaw } from 'node:zlib'
import { closeCodes } from '@iac-agent/protocol'
import { eventually } from '@iac-agent/testkit'
import { describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { createPoolKey, revokePoolKey } from '../../src/domain/auth/pool-keys.js'
import { createPool } from '../../src/domain/auth/pools.js'
import { type SocketWorld, socketWorld } from './socket-world.js'

async function statusOf(world: SocketWorld, agentId: string): Promise<unknown> {
  return (await world.operate('GET', `/agents/${agentId}`)).body.status
}

describe('the upgrade', () => {
  it('is refused with 401 and an error body before any socket is made', async () => {
    await using world = await socketWorld()
    const wrong = { ...world.keyHeaders, 'x-app-secret': 'wrong' }
    await expect(world.connect('a', wrong)).rejects.toThrow('upgrade answered 401')
    await expect(world.connect('a', {})).rejects.toThrow('upgrade answered 401')
    expect((await world.operate('GET', '/agents')).body.items).toEqual([])
  })

  it('is refused with 403 for an agent of another pool, 400 without agent_id, 404 elsewhere', async () => {
    await using world = await socketWorld()
    await world.register('a')
    const other = await createPool(world, { name: 'other' })
    const key = await createPoolKey(world, { poolId: other.id })
    const headers = { 'x-app-key': key.app_key, 'x-app-secret': key.app_secret }
    await expect(world.connect('a', headers)).rejects.toThrow('upgrade answered 403')
    await expect(world.connect('')).rejects.toThrow('upgrade answered 400')
    const stray = new WebSocket(`${world.url.replace('http', 'ws')}/api/v1/elsewhere`)
    const code = await new Promise((resolve) => {
      stray.on('error', () => undefined)
      stray.once('unexpected-response', (request, response) => {
        resolve(response.statusCode)
        request.destroy()
      })
    })
    expect(code).toBe(404)
  })

  it('is not compressed', async () => {
    await using world = await socketWorld()
    await using agent = await world.connect('a')
    expect(agent.socket.extensions).toBe('')
  })
})

describe('online and offline', () => {
  it('are true in the database', async () => {
    await using world = await socketWorld()
    await using agent = await world.connect('a')
    await eventually('agent online', async () => (await statusOf(world, 'a')) === 'online')
    agent.socket.close()
    await eventually('agent offline', async () => (await statusOf(world, 'a')) === 'offline')
    expect((await world.ask('GET', '/agents/a/cc-status')).body).toMatchObject({ connected: false, status: 'offline' })
  })

  it('stay online when the same process connects again: the first socket is closed with 4409', async () => {
    await using world = await socketWorld()
    await world.register('a')
    await using first = await world.connect('a')
    first.hello('a', 'one', 5)
    await first.next('welcome')
    await using second = await world.connect('a')
    second.hello('a', 'one', 5)
    expect(await first.closed).toBe(closeCodes.replaced)
    await second.next('welcome')
    expect(await statusOf(world, 'a')).toBe('online')
  })
})

describe('a second agent with the same identity', () => {
  it('is refused with 4410, and the first one goes on', async () => {
    await using world = await socketWorld()
    await world.register('a')
    await using first = await world.connect('a')
    first.hello('a', 'one', 5)
    await first.next('welcome')
    await using second = await world.connect('a')
    second.hello('a', 'two', 5)
    expect(await second.closed).toBe(closeCodes.identityInUse)
    first.send({ type: 'heartbeat', payload: { status: 'idle' } })
    await first.next('heartbeat_ack')
    expect(await statusOf(world, 'a')).toBe('online')
  })
})

describe('a connection', () => {
  it('of another protocol version is closed with 4426', async () => {
    await using world = await socketWorld()
    await using agent = await world.connect('a')
    const payload = { protocol_version: 99, agent_id: 'a', instance_id: 'i', boot_epoch: 1, tasks: [] }
    agent.send({ type: 'hello', payload })
    expect(await agent.closed).toBe(closeCodes.versionSkew)
    expect((await world.ask('POST', '/agents/register', {}, { ...registration, protocol_version: 99 })).status).toBe(
      426,
    )
  })

  it('whose key is revoked is closed with 4401', async () => {
    await using world = await socketWorld()
    await using agent = await world.connect('a')
    await revokePoolKey(world, { poolId: world.pool.id, keyId: world.key.id })
    expect(await agent.closed).toBe(closeCodes.unauthorized)
    await expect(world.connect('a')).rejects.toThrow('upgrade answered 401')
  })

  it('survives malformed and unknown messages', async () => {
    await using world = await socketWorld()
    await world.register('a')
    await using agent = await world.connect('a')
    for (const text of ['{', '[]', '{"type":"dance"}', '{"type":"hello","payload":{}}']) agent.socket.send(text)
    agent.hello('a', 'one', 1)
    expect(await agent.next('welcome')).toEqual({ desired: [], draining: false, store_epoch: 1 })
  })

  it('carries heartbeats into the database and back', async () => {
    await using world = await socketWorld()
    await world.register('a')
    await using agent = await world.connect('a')
    agent.hello('a', 'one', 1)
    const facts = { plan_running: 1, plan_limit: 4, apply_running: 0, cpu_usage: 12.5, mem_usage: 40 }
    agent.send({ type: 'heartbeat', payload: { status: 'busy', ...facts, current_tasks: [] } })
    expect(await agent.next('heartbeat_ack')).toEqual({ desired: [], draining: false, store_epoch: 1 })
    const { body } = await world.ask('GET', '/agents/a/cc-status')
    expect(body).toMatchObject({ connected: true, plan_running: 1, plan_limit: 4, cpu_usage: 12.5, mem_usage: 40 })
    expect(body.last_heartbeat_at).toMatch(/^\d{4}-.*Z$/)
  })
})

describe('a task pushed to a registered agent', () => {
  it('is offered, accepted and run, with its lease on every request', async () => {
    await using world = await socketWorld()
    await world.register('a')
    await using agent = await world.connect('a')
    agent.hello('a', 'one', 1)
    await agent.next('welcome')
    const { body: task } = await world.operate('POST', '/workspaces/name:prod/tasks', { task_type: 'plan' })
    const run = await agent.next('run_task')
    expect(run).toMatchObject({ task_id: task.id, workspace_id: world.workspace.id, action: 'plan', attempt: 1 })
    agent.send({ type: 'task_accepted', payload: { task_id: run.task_id, attempt: 1 } })
    const path = `/agents/tasks/${run.task_id}`
    await eventually(
      'task running',
      async () => (await world.operate('GET', `/tasks/${run.task_id}`)).body.status === 'running',
    )
    expect((await world.ask('GET', `${path}/data`, { 'x-agent-id': 'a' })).status).toBe(403)
    const lease = { 'x-agent-id': 'a', 'x-task-lease': run.lease_token }
    const { body: data } = await world.ask('GET', `${path}/data`, lease)
    expect(data).toMatchObject({
      task: { id: run.task_id, action: 'plan', attempt: 1 },
      workspace: { name: 'prod', execution_mode: 'remote', lineage: expect.any(String) },
    })
    expect((await world.ask('PUT', `${path}/status`, lease, { status: 'success', stage: 'completed' })).body).toEqual({
      status: 'success',
      stage: 'completed',
    })
    expect((await world.operate('GET', `/tasks/${run.task_id}`)).body).toMatchObject({
      status: 'success',
      agent_id: 'a',
    })
  })

  it('is withdrawn when it is not answered, and told to be forgotten when it is answered too late', async () => {
    await using world = await socketWorld({ offerTimeoutMs: 400 })
    await world.register('a')
    await using agent = await world.connect('a')
    agent.hello('a', 'one', 1)
    await world.operate('POST', '/workspaces/name:prod/tasks', { task_type: 'plan' })
    const run = await agent.next('run_task')
    const path = `/tasks/${run.task_id}`
    await eventually('offer withdrawn', async () => {
      const { pending_reason: reason } = (await world.operate('GET', path)).body as {
        pending_reason?: { message: string }
      }
      return reason?.message.includes('refused or not answered')
    })
    agent.send({ type: 'task_accepted', payload: { task_id: run.task_id, attempt: run.attempt } })
    expect(await agent.next('heartbeat_ack')).toMatchObject({ desired: [{ task_id: run.task_id, want: 'forget' }] })
  })

  it('is sent again with the same lease to an agent that comes back without it', async () => {
    await using world = await socketWorld()
    await world.register('a')
    await using agent = await world.connect('a')
    agent.hello('a', 'one', 1)
    await world.operate('POST', '/workspaces/name:prod/tasks', { task_type: 'plan' })
    const run = await agent.next('run_task')
    await using again = await world.connect('a')
    again.hello('a', 'two', 2)
    expect(await again.next('welcome')).toMatchObject({ desired: [{ task_id: run.task_id, attempt: 1, want: 'run' }] })
    expect(await again.next('run_task')).toEqual(run)
  })
})

describe('live log frames', () => {
  it('are appended and acknowledged; a damaged one ends the connection', async () => {
    await using world = await socketWorld()
    await world.register('a')
    await using agent = await world.connect('a')
    agent.hello('a', 'one', 1)
    await world.operate('POST', '/workspaces/name:prod/tasks', { task_type: 'plan' })
    const { task_id } = await agent.next('run_task')
    const header = { task_id, attempt: 1, phase: 'plan', offset: 0 }
    const deflate = createDeflateRaw()
    const frames: Buffer[] = []
    deflate.on('data', (piece: Buffer) => frames.push(piece))
    deflate.write(`${JSON.stringify(header)}\nPlan: 1 to add\n`)
    await new Promise<void>((resolve) => deflate.flush(constants.Z_SYNC_FLUSH, resolve))
    agent.socket.send(Buffer.concat(frames))
    expect(await agent.next('log_ack')).toEqual({ task_id, attempt: 1, next_offset: 15 })
    agent.socket.send(Buffer.from('no deflate at all'))
    expect(await agent.closed).toBe(1003)
  })
})

const registration = {
  agent_id: 'a',
  name: 'a',
  version: '1.0.0',
  labels: {},
  plan_limit: 1,
  capabilities: {},
  work_root: '/work',
}
