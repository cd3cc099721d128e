import type { CancelRung } from '@iac-agent/protocol'
import { describe, expect, it } from 'vitest'
import { heartbeat } from '../../src/domain/agents/heartbeat.js'
import { startApply } from '../../src/domain/attempts/start-apply.js'
import { cancelTask } from '../../src/domain/tasks/cancel-task.js'
import { reportStatus } from '../../src/domain/tasks/report-status.js'
import { runningApply } from './running-attempts.js'
import { taskWorld } from './task-world.js'

describe('a cancel', () => {
  it('of a waiting task ends it at once', async () => {
    await using world = await taskWorld()
    const taskId = await world.create('plan')
    const task = await cancelTask(world, { taskId, by: 'olga' })
    expect(task).toMatchObject({ status: 'cancelled', cancel: { by: 'olga', waiting_for: null } })
    await expect(cancelTask(world, { taskId, by: 'olga' })).resolves.toMatchObject({ status: 'cancelled' })
  })

  it('of an unreachable plan ends it at once', async () => {
    await using world = await taskWorld()
    await world.connect('seed', { isSeedOnly: true })
    const taskId = await world.create('plan')
    await world.reconciler.pass()
    await heartbeat(world, { agentId: 'seed', beat: { current_tasks: [taskId] } })
    await world.passFor(61_000)
    expect((await cancelTask(world, { taskId, by: 'olga' })).status).toBe('cancelled')
  })

  it('of a running apply is repeated until the agent reports, with force once it was given', async () => {
    await using world = await taskWorld()
    const taskId = await runningApply(world)
    expect((await cancelTask(world, { taskId, by: 'olga' })).status).toBe('running')
    await world.passFor(9_000)
    expect(world.link.cancels).toEqual([{ agentId: 'a', taskId, force: false }])
    await cancelTask(world, { taskId, by: 'olga', force: true })
    await world.passFor(10_000)
    expect(world.link.cancels.slice(1)).toEqual([
      { agentId: 'a', taskId, force: true },
      { agentId: 'a', taskId, force: true },
    ])
    const answer = await heartbeat(world, { agentId: 'a', beat: { current_tasks: [taskId] } })
    expect(answer?.desired).toEqual([{ task_id: taskId, attempt: 2, want: 'force_cancel' }])
    const caller = await world.caller(taskId, 2)
    await reportStatus(world, { caller, taskId, report: { status: 'cancelled' } })
    await world.passFor(20_000)
    expect(world.link.cancels).toHaveLength(3)
    expect((await world.task(taskId)).status).toBe('cancelled')
  })

  it('tells how far it has come, since when, by whom, and what it waits for', async () => {
    await using world = await taskWorld()
    const taskId = await runningApply(world)
    expect((await world.task(taskId)).cancel).toBeNull()
    const asked = await cancelTask(world, { taskId, by: 'olga' })
    const requested_at = asked.cancel?.requested_at
    const at = (seconds: number) => new Date(Date.parse(requested_at ?? '') + seconds * 1_000).toISOString()
    const first = { by: 'olga', force: false, requested_at }
    expect(asked.cancel).toEqual({
      ...first,
      rung: 'requested',
      since: at(0),
      waiting_for: 'agent a to hear of it',
      may_lose: null,
    })

    const beat = async (cancel_rung: CancelRung) => {
      world.clock.advance(1_000)
      await heartbeat(world, { agentId: 'a', beat: { current_tasks: [{ task_id: taskId, attempt: 2, cancel_rung }] } })
      return (await world.task(taskId)).cancel
    }
    expect(await beat('heard')).toMatchObject({
      rung: 'heard',
      since: at(1),
      waiting_for: 'agent a to interrupt terraform',
    })
    expect(await beat('interrupt')).toMatchObject({ rung: 'interrupt', since: at(2) })
    expect(await beat('interrupt')).toMatchObject({
      since: at(2),
      waiting_for: 'terraform to finish what is in flight and save its state; only force goes further',
    })
    const forced = await cancelTask(world, { taskId, by: 'pia', force: true })
    expect(forced.cancel).toMatchObject({ by: 'pia', force: true, rung: 'interrupt', requested_at: at(3) })
    expect(forced.cancel?.waiting_for).toBe('agent a to interrupt terraform again')
    expect(forced.cancel?.may_lose).toMatch(/may come to exist without being in the state.*unrecorded-resources/)
    expect(await beat('kill')).toMatchObject({ rung: 'kill', waiting_for: 'the killed terraform to be gone' })
    await reportStatus(world, { caller: await world.caller(taskId, 2), taskId, report: { status: 'cancelled' } })
    expect(await beat('ended')).toEqual({
      ...forced.cancel,
      rung: 'kill',
      since: at(4),
      waiting_for: null,
      may_lose: null,
    })
  })

  it('that an agent makes for its host is told as its own', async () => {
    await using world = await taskWorld()
    const taskId = await runningApply(world)
    const current_tasks = [{ task_id: taskId, attempt: 2, cancel_rung: 'interrupt' as const }]
    await heartbeat(world, { agentId: 'a', beat: { current_tasks } })
    expect((await world.task(taskId)).cancel).toMatchObject({ by: 'agent a, for its host', requested_at: null })
  })

  it('of an unreachable apply waits for its agent', async () => {
    await using world = await taskWorld()
    const taskId = await runningApply(world)
    await world.passFor(61_000)
    expect((await cancelTask(world, { taskId, by: 'olga' })).status).toBe('running')
  })

  it('of a plan that gets done all the same leaves nothing to confirm', async () => {
    await using world = await taskWorld()
    await world.connect('a')
    const taskId = await world.create('plan_and_apply')
    await world.reconciler.pass()
    const caller = await world.caller(taskId, 1)
    await reportStatus(world, { caller, taskId, report: { status: 'running' } })
    await cancelTask(world, { taskId, by: 'olga' })
    await reportStatus(world, { caller, taskId, report: { status: 'success', changes_add: 1 } })
    expect((await world.task(taskId)).status).toBe('cancelled')
  })

  it('keeps an accepted apply from being started', async () => {
    await using world = await taskWorld()
    const taskId = await runningApply(world)
    await cancelTask(world, { taskId, by: 'olga' })
    const starting = startApply(world, { caller: await world.caller(taskId, 2), taskId, startId: 's1' })
    await expect(starting).rejects.toMatchObject({ code: 'illegal_transition' })
  })
})
