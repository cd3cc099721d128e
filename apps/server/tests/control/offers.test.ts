import { describe, expect, it } from 'vitest'
import { acceptedByAgent, rejectedByAgent } from '../../src/domain/attempts/answer-offer.js'
import { taskWorld } from './task-world.js'

describe('an offer', () => {
  it('that nobody answers is withdrawn after its timeout, and made again', async () => {
    await using world = await taskWorld()
    await world.connect('a')
    const taskId = await world.create('plan')
    await world.reconciler.pass()
    expect(world.link.runs).toEqual([{ agentId: 'a', taskId, phase: 'plan', attempt: 1 }])
    await world.passFor(9_000)
    expect((await world.attempt(taskId, 1))?.state).toBe('offered')
    await world.passFor(1_000)
    expect(await world.attempt(taskId, 1)).toMatchObject({ state: 'final', outcome: 'withdrawn' })
    expect((await world.task(taskId)).status).toBe('pending')
    await world.passFor(6_000)
    expect(world.link.runs.map((run) => run.attempt)).toEqual([1, 2])
  })

  it('to a seed-only agent stands for a minute', async () => {
    await using world = await taskWorld()
    await world.connect('seed', { isSeedOnly: true })
    const taskId = await world.create('plan')
    await world.reconciler.pass()
    await world.passFor(59_000)
    expect((await world.attempt(taskId, 1))?.state).toBe('offered')
    await world.passFor(1_000)
    expect((await world.attempt(taskId, 1))?.outcome).toBe('withdrawn')
  })

  it('that was rejected closes its attempt only, and spares that agent for a moment', async () => {
    await using world = await taskWorld()
    await world.connect('a')
    const taskId = await world.create('plan')
    await world.reconciler.pass()
    await rejectedByAgent(world, { agentId: 'a', taskId, attempt: 1, reason: 'work_directory_busy' })
    await world.reconciler.pass()
    expect(world.link.runs).toHaveLength(1)
    expect(await world.task(taskId)).toMatchObject({
      status: 'pending',
      pending_reason: { code: 'work_directory_busy' },
    })
    await world.passFor(6_000)
    expect(world.link.runs).toHaveLength(2)
  })

  it('accepted after it was withdrawn moves nothing', async () => {
    await using world = await taskWorld()
    await world.connect('a')
    const taskId = await world.create('plan')
    await world.reconciler.pass()
    await world.passFor(10_000)
    expect(await acceptedByAgent(world, { agentId: 'a', taskId, attempt: 1 })).toBe(false)
    expect((await world.task(taskId)).status).toBe('pending')
  })

  it('is not made twice for two tasks that may apply to one workspace', async () => {
    await using world = await taskWorld()
    await world.connect('a')
    const first = await world.create('plan_and_apply')
    const second = await world.create('destroy')
    await world.reconciler.pass()
    expect(world.link.runs.map((run) => run.taskId)).toEqual([first])
    expect((await world.task(second)).pending_reason).toMatchObject({
      code: 'workspace_busy',
      details: { task_id: first },
    })
    expect((await world.task(first)).pending_reason?.code).toBe('awaiting_agent')
  })
})
