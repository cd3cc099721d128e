import { describe, expect, it } from 'vitest'
import { startApply } from '../../src/domain/attempts/start-apply.js'
import { confirmTask } from '../../src/domain/tasks/confirm-task.js'
import { reportStatus } from '../../src/domain/tasks/report-status.js'
import { taskData } from '../../src/domain/tasks/task-data.js'
import { importState, plannedTask, runningApply, runningPlan, savedPlan } from './running-attempts.js'
import { taskWorld } from './task-world.js'

describe('the start gate', () => {
  it('opens once for one start id, and again for the same', async () => {
    await using world = await taskWorld()
    const taskId = await runningApply(world)
    const caller = await world.caller(taskId, 2)
    await startApply(world, { caller, taskId, startId: 's1' })
    await startApply(world, { caller, taskId, startId: 's1' })
    const second = startApply(world, { caller, taskId, startId: 's2' })
    await expect(second).rejects.toMatchObject({ code: 'already_started' })
    expect(await world.task(taskId)).toMatchObject({ status: 'running', unreachable_since: expect.any(String) })
  })

  it('stays shut for a stale lease', async () => {
    await using world = await taskWorld()
    const taskId = await runningApply(world)
    const planner = startApply(world, { caller: await world.caller(taskId, 1), taskId, startId: 's1' })
    await expect(planner).rejects.toMatchObject({ code: 'stale_lease' })
  })

  it('stays shut for an attempt that only plans', async () => {
    await using world = await taskWorld()
    const taskId = await runningPlan(world)
    const starting = startApply(world, { caller: await world.caller(taskId, 1), taskId, startId: 's1' })
    await expect(starting).rejects.toMatchObject({ code: 'illegal_transition' })
  })

  it('fails the task when its state changed after the plan', async () => {
    await using world = await taskWorld()
    const taskId = await runningApply(world)
    await importState(world)
    const starting = startApply(world, { caller: await world.caller(taskId, 2), taskId, startId: 's1' })
    await expect(starting).rejects.toMatchObject({ code: 'plan_stale' })
    expect(await world.task(taskId)).toMatchObject({ status: 'failed', error_code: 'plan_stale' })
  })
})

describe('a confirmation', () => {
  it('is recorded with who and when, may be repeated, and is needed for an offer', async () => {
    await using world = await taskWorld()
    const taskId = await plannedTask(world)
    await savedPlan(world, taskId, 1)
    await world.reconciler.pass()
    expect(world.link.runs).toHaveLength(1)
    expect((await world.task(taskId)).pending_reason?.code).toBe('awaiting_confirmation')
    await confirmTask(world, { taskId, by: 'olga' })
    await confirmTask(world, { taskId, by: 'eve' })
    await world.reconciler.pass()
    expect(await world.task(taskId)).toMatchObject({ confirmed_by: 'olga', pending_reason: { code: 'awaiting_agent' } })
    expect(world.link.runs.at(-1)).toMatchObject({ phase: 'apply', attempt: 2 })
  })

  it('of a plan on an older state is refused', async () => {
    await using world = await taskWorld()
    const taskId = await plannedTask(world)
    await importState(world)
    await expect(confirmTask(world, { taskId, by: 'olga' })).rejects.toMatchObject({ code: 'plan_stale' })
  })

  it('of a running task is refused', async () => {
    await using world = await taskWorld()
    const taskId = await runningPlan(world)
    await expect(confirmTask(world, { taskId, by: 'olga' })).rejects.toMatchObject({ code: 'illegal_transition' })
  })

  it('by auto_apply on an older state fails the task', async () => {
    await using world = await taskWorld({ auto_apply: true })
    await world.connect('a')
    const taskId = await world.create('plan_and_apply')
    await world.reconciler.pass()
    const caller = await world.caller(taskId, 1)
    await taskData(world, { caller, taskId, includeState: false })
    await importState(world)
    await reportStatus(world, { caller, taskId, report: { status: 'success', changes_add: 1 } })
    expect(await world.task(taskId)).toMatchObject({ status: 'failed', error_code: 'plan_stale', confirmed_by: null })
  })
})
