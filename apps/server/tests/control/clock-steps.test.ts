import { timing } from '@iac-agent/protocol'
import { describe, expect, it } from 'vitest'
import { heartbeat } from '../../src/domain/agents/heartbeat.js'
import { rejectedByAgent } from '../../src/domain/attempts/answer-offer.js'
import { cancelTask } from '../../src/domain/tasks/cancel-task.js'
import { reportStatus } from '../../src/domain/tasks/report-status.js'
import { noteEndHint } from '../../src/domain/tasks/unreported-end.js'
import { runningApply, runningPlan } from './running-attempts.js'
import { type TaskWorld, taskWorld } from './task-world.js'

const tenMinutes = 600_000
const century = 100 * 365 * 86_400_000

describe.each([
  { step: tenMinutes, name: 'ten minutes forward' },
  { step: -tenMinutes, name: 'ten minutes back' },
  { step: century, name: 'a century forward' },
  { step: -century / 2, name: 'half a century back' },
])("when the server's clock is set $name", ({ step }) => {
  it('a lease that is renewed goes on', async () => {
    await using world = await taskWorld()
    const taskId = await runningPlan(world)
    await beating(world, taskId, 30_000)
    world.clock.set(step)
    await beating(world, taskId, 180_000)
    expect(await world.attempt(taskId, 1)).toMatchObject({ state: 'live' })
    expect(world.link.runs).toHaveLength(1)
  })

  it('an apply that is renewed stays reachable', async () => {
    await using world = await taskWorld()
    const taskId = await runningApply(world)
    world.clock.set(step)
    await beating(world, taskId, 180_000)
    expect(await world.task(taskId)).toMatchObject({ status: 'running', unreachable_since: null })
  })

  it('a lease that nobody renews any more ends a ttl after it was renewed last', async () => {
    await using world = await taskWorld()
    const taskId = await runningPlan(world)
    await world.passFor(30_000)
    world.clock.set(step)
    await world.passFor(29_000)
    expect(await world.attempt(taskId, 1)).toMatchObject({ state: 'live' })
    await world.passFor(3_000)
    expect(await world.attempt(taskId, 1)).toMatchObject({ outcome: 'expired' })
  })

  it('so does one that was renewed just after that', async () => {
    await using world = await taskWorld()
    const taskId = await runningPlan(world)
    world.clock.set(step)
    await heartbeat(world, { agentId: 'a', beat: { current_tasks: [taskId] } })
    await world.passFor(59_000)
    expect(await world.attempt(taskId, 1)).toMatchObject({ state: 'live' })
    await world.passFor(3_000)
    expect(await world.attempt(taskId, 1)).toMatchObject({ outcome: 'expired' })
  })

  it('an offer has its time, and no more', async () => {
    await using world = await taskWorld()
    await world.connect('a')
    const taskId = await world.create('plan')
    await world.reconciler.pass()
    world.clock.set(step)
    await world.passFor(9_000)
    expect(await world.attempt(taskId, 1)).toMatchObject({ state: 'offered' })
    await world.passFor(2_000)
    expect(await world.attempt(taskId, 1)).toMatchObject({ outcome: 'withdrawn' })
  })

  it('an agent that refused is asked again', async () => {
    await using world = await taskWorld()
    await world.connect('a')
    const taskId = await world.create('plan')
    await world.reconciler.pass()
    await rejectedByAgent(world, { agentId: 'a', taskId, attempt: 1, reason: 'degraded' })
    world.clock.set(step)
    await world.passFor(6_000)
    expect(world.link.runs).toHaveLength(2)
  })

  it('a cancel is repeated each heartbeat interval', async () => {
    await using world = await taskWorld()
    const taskId = await runningApply(world)
    await cancelTask(world, { taskId, by: 'olga', force: false })
    await beating(world, taskId, 20_000)
    const said = world.link.cancels.length
    world.clock.set(step)
    await beating(world, taskId, 30_000)
    expect(world.link.cancels.length - said).toBe(3)
  })

  it("a seed-only agent's status is waited for as long as ever", async () => {
    await using world = await taskWorld()
    await world.connect('seed', { isSeedOnly: true })
    const taskId = await world.create('plan')
    await world.reconciler.pass()
    await heartbeat(world, { agentId: 'seed', beat: { current_tasks: [taskId] } })
    await noteEndHint(world, { agentId: 'seed', taskId })
    world.clock.set(step)
    await world.passFor(timing.statusNotReportedMs - 1_000)
    expect(await world.task(taskId)).toMatchObject({ status: 'running' })
    await world.passFor(2_000)
    expect(await world.task(taskId)).toMatchObject({ error_code: 'status_not_reported' })
  })

  it('the duration of what runs is not touched', async () => {
    await using world = await taskWorld()
    const taskId = await runningPlan(world)
    await beating(world, taskId, 20_000)
    world.clock.set(step)
    const report = { status: 'success', changes_add: 0, changes_change: 0, changes_destroy: 0 } as const
    await reportStatus(world, { caller: await world.caller(taskId, 1), taskId, report })
    expect(await world.task(taskId)).toMatchObject({ duration: 20 })
  })

  it('while the server is down, everything open has its full time again', async () => {
    await using world = await taskWorld()
    await world.connect('b', { planLimit: 1 })
    const offered = await world.create('plan')
    await world.reconciler.pass()
    const running = await runningPlan(world)
    await world.passFor(5_000)
    world.clock.set(step)
    world.clock.restart()
    const restarted = world.newReconciler()
    await restarted.pass()
    await world.passFor(9_000, restarted)
    expect([await world.attempt(offered, 1), await world.attempt(running, 1)]).toMatchObject([
      { state: 'offered' },
      { state: 'live' },
    ])
    await world.passFor(50_000, restarted)
    expect([await world.attempt(offered, 1), await world.attempt(running, 1)]).toMatchObject([
      { outcome: 'withdrawn' },
      { state: 'live' },
    ])
    await world.passFor(3_000, restarted)
    expect(await world.attempt(running, 1)).toMatchObject({ outcome: 'expired' })
  })
})

/** Time passes, and agent `a` lives. */
async function beating(world: TaskWorld, taskId: number, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 10_000) {
    await world.passFor(10_000)
    await heartbeat(world, { agentId: 'a', beat: { current_tasks: [taskId] } })
  }
}
