import { describe, expect, it } from 'vitest'
import { drainAgent, undrainAgent } from '../../src/domain/agents/drain-agent.js'
import { heartbeat } from '../../src/domain/agents/heartbeat.js'
import { acceptedByAgent } from '../../src/domain/attempts/answer-offer.js'
import { runningPlan } from './running-attempts.js'
import { socketWorld } from './socket-world.js'
import { taskWorld } from './task-world.js'

describe('a drained agent', () => {
  it('is offered nothing, its tasks say why they wait, and what it runs goes on', async () => {
    await using world = await taskWorld()
    const running = await runningPlan(world)
    await drainAgent(world, { agentId: 'a', reason: 'new kernel' })
    expect(world.link.drains).toEqual([{ agentId: 'a', reason: 'new kernel' }])
    const taskId = await world.create('plan')
    for (let beat = 0; beat < 9; beat++) {
      await world.passFor(10_000)
      await heartbeat(world, { agentId: 'a', beat: { status: 'draining', current_tasks: [running] } })
    }
    expect(world.link.runs).toHaveLength(1)
    expect((await world.task(taskId)).pending_reason).toMatchObject({
      code: 'agents_draining',
      details: { agent_ids: ['a'] },
    })
    expect(await world.attempt(running, 1)).toMatchObject({ state: 'live' })
  })

  it('leaves its work to the others', async () => {
    await using world = await taskWorld()
    await world.connect('a')
    await world.connect('b')
    await drainAgent(world, { agentId: 'a', reason: 'r' })
    await world.create('plan')
    await world.reconciler.pass()
    expect(world.link.runs).toMatchObject([{ agentId: 'b' }])
  })

  it('gets work again after undrain, as soon as it says that it takes some', async () => {
    await using world = await taskWorld()
    await world.connect('a')
    await drainAgent(world, { agentId: 'a', reason: 'r' })
    await heartbeat(world, { agentId: 'a', beat: { status: 'draining' } })
    const taskId = await world.create('plan')
    expect(await undrainAgent(world, { agentId: 'a' })).toMatchObject({ draining: false, state: 'draining' })
    await world.reconciler.pass()
    expect(world.link.runs).toEqual([])
    expect(await heartbeat(world, { agentId: 'a', beat: { status: 'idle' } })).toMatchObject({ draining: false })
    await world.reconciler.pass()
    expect(await acceptedByAgent(world, { agentId: 'a', taskId, attempt: 1 })).toBe(true)
  })
})

describe('drain over the API', () => {
  it('tells the agent at once, in each answer to a heartbeat, and again in the next welcome', async () => {
    await using world = await socketWorld()
    await world.register('a')
    {
      await using agent = await world.connect('a')
      agent.hello('a', 'i1', 1)
      expect(await agent.next('welcome')).toMatchObject({ draining: false })
      const { status, body } = await world.operate('POST', '/agents/a/drain', { reason: 'new kernel' })
      expect([status, body]).toMatchObject([202, { id: 'a', draining: true }])
      expect(await agent.next('drain')).toEqual({ reason: 'new kernel' })
      agent.send({ type: 'heartbeat', payload: {} })
      expect(await agent.next('heartbeat_ack')).toMatchObject({ draining: true })
    }
    await world.register('a')
    await using agent = await world.connect('a')
    agent.hello('a', 'i2', 2)
    expect(await agent.next('welcome')).toMatchObject({ draining: true })
    expect(await world.ask('POST', '/agents/a/heartbeat', {}, {})).toMatchObject({ body: { draining: true } })
    expect(await world.operate('POST', '/agents/a/undrain')).toMatchObject({ status: 202, body: { draining: false } })
    expect(await agent.next('heartbeat_ack')).toMatchObject({ desired: [], draining: false })
  })

  it('does not forget it while it tells the agent to forget a task', async () => {
    await using world = await socketWorld()
    await world.register('a')
    await using agent = await world.connect('a')
    agent.hello('a', 'i1', 1)
    await agent.next('welcome')
    await world.operate('POST', '/agents/a/drain')
    agent.send({ type: 'task_accepted', payload: { task_id: 99, attempt: 1 } })
    expect(await agent.next('heartbeat_ack')).toEqual({
      desired: [{ task_id: 99, attempt: 1, want: 'forget' }],
      draining: true,
    })
  })

  it('is 404 for an agent that does not exist', async () => {
    await using world = await socketWorld()
    expect(await world.operate('POST', '/agents/none/drain')).toMatchObject({ status: 404 })
    expect(await world.operate('POST', '/agents/none/undrain')).toMatchObject({ status: 404 })
  })
})
