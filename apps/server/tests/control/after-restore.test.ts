import { describe, expect, it } from 'vitest'
import { afterRestore } from '../../src/domain/after-restore.js'
import { heartbeat } from '../../src/domain/agents/heartbeat.js'
import { startApply } from '../../src/domain/attempts/start-apply.js'
import { saveChunk } from '../../src/domain/logs/save-chunk.js'
import { sealLog } from '../../src/domain/logs/seal.js'
import { confirmTask } from '../../src/domain/tasks/confirm-task.js'
import { declareLost } from '../../src/domain/tasks/declare-lost.js'
import { reportStatus } from '../../src/domain/tasks/report-status.js'
import { storeEpoch } from '../../src/store/store-epoch.js'
import { readLog } from '../domain/read-log.js'
import { plannedTask, runningApply, runningPlan, savedPlan } from './running-attempts.js'
import { type TaskWorld, taskWorld } from './task-world.js'

const sha256OfHi = '8f434346648f6b96df89dda901c5176b10a6d83961dd3c1ac88b59b2dc327aa4'

/** What the restored store then does is the work of a server that starts on it. */
async function restored(world: TaskWorld) {
  world.clock.advance(60_000)
  const done = await afterRestore(world, { epoch: 2 })
  return { done, reconciler: world.newReconciler() }
}

describe('after a restore', () => {
  it('a running apply is unreachable, is not started by anybody, and goes on when its agent comes', async () => {
    await using world = await taskWorld()
    const taskId = await runningApply(world)
    const { done } = await restored(world)
    expect(done).toEqual({ unreachableApplies: 1, unconfirmedPlans: 0 })
    expect(await world.task(taskId)).toMatchObject({ status: 'running', unreachable_since: expect.any(String) })
    const caller = await world.caller(taskId, 2)
    await expect(startApply(world, { caller, taskId, startId: 'again' })).rejects.toMatchObject({
      code: 'already_started',
    })
    const said = await heartbeat(world, { agentId: 'a', beat: { current_tasks: [{ task_id: taskId, attempt: 2 }] } })
    expect(said).toMatchObject({ desired: [{ want: 'run' }] })
    expect(await world.store.read(storeEpoch)).toBe(2)
    expect((await world.task(taskId)).unreachable_since).toBeNull()
    await reportStatus(world, { caller, taskId, report: { status: 'success' } })
    expect((await world.task(taskId)).status).toBe('applied')
  })

  it('an apply that was only offered may have been taken: it is unreachable, and offered to nobody else', async () => {
    await using world = await taskWorld()
    const taskId = await plannedTask(world)
    await confirmTask(world, { taskId, by: 'olga' })
    await savedPlan(world, taskId, 1)
    await world.reconciler.pass()
    expect((await world.attempt(taskId, 2))?.state).toBe('offered')
    const { reconciler } = await restored(world)
    await world.connect('b')
    await world.passFor(120_000, reconciler)
    expect(await world.task(taskId)).toMatchObject({ status: 'running', unreachable_since: expect.any(String) })
    expect(world.link.runs.filter(({ phase }) => phase === 'apply')).toHaveLength(1)
  })

  it('a confirmed plan waits for a person again, and its attempts are numbered apart from those before', async () => {
    await using world = await taskWorld()
    const taskId = await plannedTask(world)
    await confirmTask(world, { taskId, by: 'olga' })
    const { done, reconciler } = await restored(world)
    expect(done).toEqual({ unreachableApplies: 0, unconfirmedPlans: 1 })
    await savedPlan(world, taskId, 1)
    await world.passFor(5_000, reconciler)
    expect(await world.task(taskId)).toMatchObject({
      confirmed_by: null,
      pending_reason: { code: 'awaiting_confirmation' },
    })
    await confirmTask(world, { taskId, by: 'olga' })
    await reconciler.pass()
    expect(world.link.runs.at(-1)).toMatchObject({ taskId, phase: 'apply', attempt: 1_001 })
  })

  it('a task that was made before is not applied by itself, one made after is, whatever the clock says', async () => {
    await using world = await taskWorld({ auto_apply: true })
    const before = await world.create('plan_and_apply')
    const { reconciler } = await restored(world)
    await world.connect('a')
    await reconciler.pass()
    const planned = { status: 'success', changes_add: 1 } as const
    await reportStatus(world, { caller: await world.caller(before, 1_001), taskId: before, report: planned })
    expect((await world.task(before)).pending_reason?.code).toBe('awaiting_confirmation')
    await world.store.transaction('create_token', (tx) =>
      tx.db.updateTable('workspaces').set({ locked_by_task: null }).execute(),
    )
    world.clock.set(-86_400_000)
    const after = await world.create('plan_and_apply')
    await reconciler.pass()
    await reportStatus(world, { caller: await world.caller(after, 1_001), taskId: after, report: planned })
    expect((await world.task(after)).confirmed_by).toBe('auto_apply')
  })

  it('a number that somebody still holds names no other task', async () => {
    await using world = await taskWorld()
    const held = await world.create('plan')
    await restored(world)
    expect(await world.create('plan')).toBe(held + 100_001)
  })

  it('a store that never had a task leaves room for those it lost', async () => {
    await using world = await taskWorld()
    await restored(world)
    expect(await world.create('plan')).toBe(100_001)
  })

  it('a running plan is made again when its agent does not come', async () => {
    await using world = await taskWorld()
    const taskId = await runningPlan(world)
    const { reconciler } = await restored(world)
    await world.passFor(62_000, reconciler)
    expect(await world.attempt(taskId, 1)).toMatchObject({ outcome: 'expired' })
    expect(world.link.runs.at(-1)).toMatchObject({ taskId, attempt: 1_001 })
  })

  it('a log that cannot be refilled ends as gap, and one that is sent again as complete', async () => {
    for (const isRefilled of [false, true]) {
      await using world = await taskWorld()
      const taskId = await runningApply(world)
      const caller = await world.caller(taskId, 2)
      const send = (offset: number, text: string) =>
        saveChunk(world, { caller, taskId, phase: 'apply', offset, bytes: Buffer.from(text) })
      await send(0, 'h')
      await restored(world)
      await declareLost(world, { taskId, by: 'olga', agentName: 'a' })
      if (isRefilled) {
        expect(await send(0, 'hi')).toMatchObject({ next_offset: 2, late: true })
        await sealLog(world, { caller, taskId, phase: 'apply', totalBytes: 2, sha256: sha256OfHi })
      }
      expect(await readLog(world, { taskId, phase: 'apply' })).toMatchObject({
        state: isRefilled ? 'complete' : 'gap',
      })
    }
  })
})
