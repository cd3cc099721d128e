import { describe, expect, it } from 'vitest'
import type { AgentCaller } from '../../src/domain/attempts/agent-caller.js'
import { requireAttempt } from '../../src/domain/attempts/require-attempt.js'
import { cancelTask } from '../../src/domain/tasks/cancel-task.js'
import { reportStatus } from '../../src/domain/tasks/report-status.js'
import { noteEndHint } from '../../src/domain/tasks/unreported-end.js'
import { runningPlan } from './running-attempts.js'
import { type TaskWorld, taskWorld } from './task-world.js'

function fence(world: TaskWorld, caller: AgentCaller, taskId: number) {
  return world.store.transaction('create_token', (tx) => requireAttempt(tx, caller, taskId, world.clock))
}

describe('a status report', () => {
  it('may be repeated, but not changed', async () => {
    await using world = await taskWorld()
    const taskId = await runningPlan(world)
    const caller = await world.caller(taskId, 1)
    const done = { caller, taskId, report: { status: 'success', duration: 45 } } as const
    expect(await reportStatus(world, done)).toEqual({ status: 'success', stage: 'completed' })
    expect(await reportStatus(world, done)).toEqual({ status: 'success', stage: 'completed' })
    const changed = reportStatus(world, { caller, taskId, report: { status: 'failed' } })
    await expect(changed).rejects.toMatchObject({ code: 'illegal_transition' })
    expect(await world.task(taskId)).toMatchObject({ duration: 45, completed_at: expect.any(String) })
  })

  it('may say running and nothing else', async () => {
    await using world = await taskWorld()
    const taskId = await runningPlan(world)
    const report = { status: 'running' } as const
    const answer = await reportStatus(world, { caller: await world.caller(taskId, 1), taskId, report })
    expect(answer).toEqual({ status: 'running', stage: 'fetching' })
  })

  it('sets the stage while it says running, and refuses words that do not fit the phase', async () => {
    await using world = await taskWorld()
    const taskId = await runningPlan(world)
    const caller = await world.caller(taskId, 1)
    const running = await reportStatus(world, { caller, taskId, report: { status: 'running', stage: 'planning' } })
    expect(running).toEqual({ status: 'running', stage: 'planning' })
    const jump = reportStatus(world, { caller, taskId, report: { status: 'applied' } })
    await expect(jump).rejects.toMatchObject({ code: 'illegal_transition' })
  })

  it('without any change ends plan_and_apply as planned_and_finished and frees the workspace', async () => {
    await using world = await taskWorld()
    await world.connect('a')
    const taskId = await world.create('plan_and_apply')
    const next = await world.create('plan_and_apply')
    await world.reconciler.pass()
    const report = { status: 'success', changes_add: 0, changes_change: 0, changes_destroy: 0 } as const
    await reportStatus(world, { caller: await world.caller(taskId, 1), taskId, report })
    expect((await world.task(taskId)).status).toBe('planned_and_finished')
    await world.reconciler.pass()
    expect(world.link.runs.at(-1)?.taskId).toBe(next)
  })

  it.each([
    ['lost its work directory to another agent of the host', 'work_directory_busy'],
    ['a server of before a restore gave up', 'lost'],
  ] as const)('of a plan that %s has it made again, three times at most', async (_, error_code) => {
    await using world = await taskWorld()
    const taskId = await runningPlan(world)
    const report = { status: 'failed', error_code } as const
    const ends = []
    for (const attempt of [1, 2, 3]) {
      const said = { caller: await world.caller(taskId, attempt), taskId, report }
      ends.push((await reportStatus(world, said)).status)
      await reportStatus(world, said)
      await world.reconciler.pass()
    }
    expect(ends).toEqual(['pending', 'pending', 'failed'])
    expect(await world.task(taskId)).toMatchObject({ status: 'failed', error_code, attempt: 3 })
  })

  it('of a plan that failed by its attempt alone ends it as cancelled when somebody wants it cancelled', async () => {
    await using world = await taskWorld()
    const taskId = await runningPlan(world)
    await cancelTask(world, { taskId, by: 'eve' })
    const report = { status: 'failed', error_code: 'lost' } as const
    await reportStatus(world, { caller: await world.caller(taskId, 1), taskId, report })
    expect(await world.task(taskId)).toMatchObject({ status: 'cancelled' })
  })

  it("of a seed-only agent's plan, repeated after its apply was offered, does not end the apply", async () => {
    await using world = await taskWorld({ allow_unsaved_plan: true, auto_apply: true })
    await world.connect('seed', { isSeedOnly: true })
    const taskId = await world.create('plan_and_apply')
    await world.reconciler.pass()
    const caller = { poolId: world.pool.id, keyId: 'key', agentId: 'seed' }
    const report = { status: 'success', changes_add: 3 } as const
    await reportStatus(world, { caller, taskId, report })
    await world.reconciler.pass()
    expect(world.link.runs.map((run) => run.phase)).toEqual(['plan', 'apply'])
    await reportStatus(world, { caller, taskId, report })
    expect(await world.task(taskId)).toMatchObject({ status: 'apply_pending', confirmed_by: 'auto_apply' })
    await fence(world, caller, taskId)
    await reportStatus(world, { caller, taskId, report: { status: 'applied' } })
    expect((await world.task(taskId)).status).toBe('applied')
  })

  it('that never comes after task_completed ends the task of a seed-only agent', async () => {
    await using world = await taskWorld()
    await world.connect('seed', { isSeedOnly: true })
    const taskId = await world.create('plan')
    await world.reconciler.pass()
    await noteEndHint(world, { agentId: 'seed', taskId, error: 'disk on fire' })
    await world.passFor(29_000)
    expect((await world.task(taskId)).status).toBe('running')
    await world.passFor(1_000)
    expect(await world.task(taskId)).toMatchObject({
      status: 'failed',
      error_code: 'status_not_reported',
      error_message: expect.stringContaining('disk on fire'),
    })
  })
})
