import { describe, expect, it } from 'vitest'
import { heartbeat } from '../../src/domain/agents/heartbeat.js'
import { acceptedByAgent } from '../../src/domain/attempts/answer-offer.js'
import { reportStatus } from '../../src/domain/tasks/report-status.js'
import { createWorkspace } from '../../src/domain/workspaces/workspaces.js'
import { runningApply, runningPlan } from './running-attempts.js'
import { StoppingStore } from './stopping-store.js'
import { taskWorld } from './task-world.js'

describe('a lease that is over', () => {
  it('requeues a plan as a new attempt, and fails it when that happened three times', async () => {
    await using world = await taskWorld()
    const taskId = await runningPlan(world)
    for (const attempt of [1, 2]) {
      await world.passFor(61_000)
      expect(await world.attempt(taskId, attempt)).toMatchObject({ state: 'final', outcome: 'expired' })
      await world.reconciler.pass()
      expect(await acceptedByAgent(world, { agentId: 'a', taskId, attempt: attempt + 1 })).toBe(true)
    }
    await world.passFor(61_000)
    expect(await world.task(taskId)).toMatchObject({ status: 'failed', error_code: 'lease_expired', attempt: 3 })
  })

  it('makes an apply unreachable: it runs on, its workspace stays held, and its agent may come back', async () => {
    await using world = await taskWorld()
    const taskId = await runningApply(world)
    const waiting = await world.create('plan_and_apply')
    await world.passFor(3_600_000 / 20)
    expect(await world.task(taskId)).toMatchObject({ status: 'running', unreachable_since: expect.any(String) })
    expect((await world.task(waiting)).pending_reason?.code).toBe('workspace_busy')
    await heartbeat(world, { agentId: 'a', beat: { current_tasks: [taskId] } })
    expect(await world.task(taskId)).toMatchObject({ status: 'running', unreachable_since: null })
    const caller = await world.caller(taskId, 2)
    await reportStatus(world, { caller, taskId, report: { status: 'success' } })
    expect((await world.task(taskId)).status).toBe('applied')
  })

  it("of a seed-only agent's plan makes it unreachable, and never requeues it", async () => {
    await using world = await taskWorld()
    await world.connect('seed', { isSeedOnly: true })
    const taskId = await world.create('plan')
    await world.reconciler.pass()
    await heartbeat(world, { agentId: 'seed', beat: { current_tasks: [taskId] } })
    await world.passFor(120_000)
    expect(await world.task(taskId)).toMatchObject({ status: 'running', unreachable_since: expect.any(String) })
    expect(world.link.runs).toHaveLength(1)
  })

  it('of a seed-only agent lives on heartbeats that list nothing: three minutes, one dispatch', async () => {
    await using world = await taskWorld()
    await world.connect('seed', { isSeedOnly: true })
    const taskId = await world.create('plan')
    await world.reconciler.pass()
    await heartbeat(world, { agentId: 'seed', beat: { current_tasks: [taskId] } })
    for (let passed = 0; passed < 180_000; passed += 10_000) {
      await world.passFor(10_000)
      await heartbeat(world, { agentId: 'seed', beat: {} })
    }
    expect(await world.task(taskId)).toMatchObject({ status: 'running', unreachable_since: null, attempt: 1 })
    expect(world.link.runs).toHaveLength(1)
  })

  it('is not over while heartbeats renew it', async () => {
    await using world = await taskWorld()
    const taskId = await runningPlan(world)
    for (let minute = 0; minute < 3; minute++) {
      await world.passFor(50_000)
      await heartbeat(world, { agentId: 'a', beat: { current_tasks: [taskId] } })
    }
    expect((await world.attempt(taskId, 1))?.state).toBe('live')
  })

  it('is renewed by no heartbeat that leaves its task out', async () => {
    await using world = await taskWorld()
    const taskId = await runningPlan(world)
    await world.passFor(50_000)
    await heartbeat(world, { agentId: 'a', beat: { current_tasks: [] } })
    await world.passFor(11_000)
    expect((await world.attempt(taskId, 1))?.outcome).toBe('expired')
  })

  it('gets a full ttl when the server starts again, before any is ended', async () => {
    await using world = await taskWorld()
    const taskId = await runningPlan(world)
    world.clock.advance(3_600_000)
    const restarted = world.newReconciler()
    await restarted.pass()
    await world.passFor(60_000, restarted)
    expect((await world.attempt(taskId, 1))?.state).toBe('live')
    await world.passFor(1_000, restarted)
    expect((await world.attempt(taskId, 1))?.outcome).toBe('expired')
  })

  it('is extended when the reconciler itself was late', async () => {
    await using world = await taskWorld()
    const taskId = await runningPlan(world)
    await world.passFor(30_000)
    world.clock.advance(600_000)
    await world.reconciler.pass()
    await world.passFor(29_000)
    expect((await world.attempt(taskId, 1))?.state).toBe('live')
    await world.passFor(3_000)
    expect((await world.attempt(taskId, 1))?.outcome).toBe('expired')
  })

  it('is extended when the server was stopped in the middle of a pass', async () => {
    await using world = await taskWorld()
    const taskId = await runningPlan(world)
    const stopped = new StoppingStore(world)
    const reconciler = world.newReconciler({ store: stopped })
    await reconciler.pass()
    await world.passFor(30_000, reconciler)
    for (let stop = 0; stop < 3; stop++) {
      stopped.nextReadTakesMs = 90_000
      await reconciler.pass()
      await world.passFor(9_000, reconciler)
      expect((await world.attempt(taskId, 1))?.state).toBe('live')
    }
    await world.passFor(30_000, reconciler)
    expect((await world.attempt(taskId, 1))?.outcome).toBe('expired')
  })

  it('gets a full ttl after the database was away', async () => {
    await using world = await taskWorld()
    const taskId = await runningPlan(world)
    const failing = new StoppingStore(world)
    const reconciler = world.newReconciler({ store: failing })
    await reconciler.pass()
    await world.passFor(50_000, reconciler)
    failing.isAway = true
    for (let second = 0; second < 100; second++) {
      world.clock.advance(1_000)
      await expect(reconciler.pass()).rejects.toMatchObject({ code: 'store_failed' })
    }
    failing.isAway = false
    await reconciler.pass()
    await world.passFor(59_000, reconciler)
    expect((await world.attempt(taskId, 1))?.state).toBe('live')
    await world.passFor(3_000, reconciler)
    expect((await world.attempt(taskId, 1))?.outcome).toBe('expired')
  })

  it('ends at most three at once: the rest waits a minute', async () => {
    await using world = await taskWorld()
    await world.connect('a', { planLimit: 10 })
    const tasks: number[] = []
    for (let index = 0; index < 5; index++) {
      const workspace = await createWorkspace(world, { name: `w${index}`, pool_id: world.pool.id })
      tasks.push(await world.create('plan', { workspaceId: workspace.id }))
    }
    await world.reconciler.pass()
    for (const taskId of tasks) await acceptedByAgent(world, { agentId: 'a', taskId, attempt: 1 })
    await world.passFor(61_000)
    const expired = async () => {
      const attempts = await Promise.all(tasks.map((taskId) => world.attempt(taskId, 1)))
      return attempts.filter((attempt) => attempt?.outcome === 'expired').length
    }
    expect(await expired()).toBe(3)
    await world.passFor(60_000)
    expect(await expired()).toBe(5)
  })
})
