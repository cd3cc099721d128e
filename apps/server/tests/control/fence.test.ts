import { describe, expect, it } from 'vitest'
import { heartbeat } from '../../src/domain/agents/heartbeat.js'
import type { AgentCaller } from '../../src/domain/attempts/agent-caller.js'
import { requireAttempt } from '../../src/domain/attempts/require-attempt.js'
import { createPool } from '../../src/domain/auth/pools.js'
import { reportStatus } from '../../src/domain/tasks/report-status.js'
import { taskData } from '../../src/domain/tasks/task-data.js'
import { runningApply, runningPlan } from './running-attempts.js'
import { type TaskWorld, taskWorld } from './task-world.js'

function fence(world: TaskWorld, caller: AgentCaller, taskId: number) {
  return world.store.transaction('create_token', (tx) => requireAttempt(tx, caller, taskId, world.clock))
}

describe('the fence', () => {
  it('knows no task that does not exist', async () => {
    await using world = await taskWorld()
    const caller = { poolId: world.pool.id, keyId: 'key', agentId: 'a' }
    await expect(fence(world, caller, 99)).rejects.toMatchObject({ code: 'not_found' })
  })

  it('refuses a registered agent without its lease', async () => {
    await using world = await taskWorld()
    const taskId = await runningPlan(world)
    const caller = { poolId: world.pool.id, keyId: 'key', agentId: 'a' }
    await expect(fence(world, caller, taskId)).rejects.toThrow('its X-Task-Lease is missing')
  })

  it('refuses another agent, another pool, a lease of another task, and a forged one', async () => {
    await using world = await taskWorld()
    const taskId = await runningPlan(world)
    const other = await world.create('plan')
    const good = await world.caller(taskId, 1)
    const elsewhere = await createPool(world, { name: 'elsewhere' })
    await expect(fence(world, { ...good, agentId: 'b' }, taskId)).rejects.toMatchObject({ code: 'forbidden' })
    await expect(fence(world, { ...good, poolId: elsewhere.id }, taskId)).rejects.toMatchObject({ code: 'forbidden' })
    await expect(fence(world, { ...good, lease: '1.forged' }, taskId)).rejects.toMatchObject({ code: 'forbidden' })
    await expect(fence(world, good, other)).rejects.toMatchObject({ code: 'unknown_attempt' })
    await expect(fence(world, { ...good, lease: 'no token' }, other)).rejects.toMatchObject({ code: 'forbidden' })
    await expect(fence(world, good, taskId)).resolves.toMatchObject({ stale: false })
  })

  it('calls an attempt stale when a newer one has taken its place, and moves nothing for it', async () => {
    await using world = await taskWorld()
    const taskId = await runningPlan(world)
    const old = await world.caller(taskId, 1)
    await world.passFor(62_000)
    expect(await fence(world, old, taskId)).toMatchObject({ stale: true, attempt: { number: 1 } })
    const report = { status: 'success' } as const
    await expect(reportStatus(world, { caller: old, taskId, report })).rejects.toMatchObject({ code: 'stale_lease' })
    await expect(taskData(world, { caller: old, taskId, includeState: true })).rejects.toMatchObject({
      code: 'stale_lease',
    })
    expect(await world.task(taskId)).toMatchObject({ status: 'pending', attempt: 2 })
  })

  it('takes a request with the lease as the acceptance that got lost', async () => {
    await using world = await taskWorld()
    await world.connect('a')
    const taskId = await world.create('plan_and_apply')
    await world.reconciler.pass()
    await fence(world, await world.caller(taskId, 1), taskId)
    expect(await world.task(taskId)).toMatchObject({ status: 'running', pending_reason: null })
  })

  it("lets a seed-only agent through for its own task, by its id or by its pool's key alone", async () => {
    await using world = await taskWorld()
    await world.connect('seed', { isSeedOnly: true })
    const taskId = await world.create('plan')
    await world.reconciler.pass()
    const key = { poolId: world.pool.id, keyId: 'key' }
    await expect(fence(world, { ...key, agentId: 'other' }, taskId)).rejects.toMatchObject({ code: 'forbidden' })
    await expect(fence(world, key, taskId)).resolves.toMatchObject({ stale: false })
    await expect(fence(world, { ...key, agentId: 'seed' }, taskId)).resolves.toMatchObject({ stale: false })
  })
})

describe('a heartbeat', () => {
  it('is answered with what is wanted, and with the offer the agent lost', async () => {
    await using world = await taskWorld()
    await world.connect('a')
    const taskId = await world.create('plan')
    await world.reconciler.pass()
    world.clock.advance(5_000)
    const answer = await heartbeat(world, { agentId: 'a', beat: { current_tasks: [{ task_id: 999, attempt: 3 }] } })
    expect(answer?.desired).toEqual([
      { task_id: taskId, attempt: 1, want: 'run' },
      { task_id: 999, attempt: 3, want: 'forget' },
    ])
    expect(answer?.unknown.map((order) => order.taskId)).toEqual([taskId])
  })

  it.each([
    ['plan that was accepted is not sent again: its log was begun', runningPlan, []],
    ['apply is: the start gate says whether it may still begin', runningApply, [2]],
  ] as const)('of an agent that lost its journal: a %s', async (_, running, repeated) => {
    await using world = await taskWorld()
    await running(world)
    world.clock.advance(10_000)
    const answer = await heartbeat(world, { agentId: 'a', beat: { current_tasks: [] } })
    expect(answer?.unknown.map(({ lease }) => lease.attempt)).toEqual(repeated)
  })

  it('of a removed agent is answered with nothing', async () => {
    await using world = await taskWorld()
    expect(await heartbeat(world, { agentId: 'nobody', beat: {} })).toBeUndefined()
  })
})
