import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { afterRestore } from '../../src/domain/after-restore.js'
import type { AgentCaller } from '../../src/domain/attempts/agent-caller.js'
import { startApply } from '../../src/domain/attempts/start-apply.js'
import { nextLogOffset, saveChunk } from '../../src/domain/logs/save-chunk.js'
import { sealLog } from '../../src/domain/logs/seal.js'
import { receiveRawState } from '../../src/domain/states/receive-state.js'
import { saveTaskState } from '../../src/domain/states/save-task-state.js'
import { listStates } from '../../src/domain/states/state-view.js'
import { confirmTask } from '../../src/domain/tasks/confirm-task.js'
import { reportStatus } from '../../src/domain/tasks/report-status.js'
import { unlockWorkspace } from '../../src/domain/workspaces/workspace-lock.js'
import { getWorkspace } from '../../src/domain/workspaces/workspaces.js'
import { readLog } from '../domain/read-log.js'
import { plannedTask, runningApply, runningPlan } from './running-attempts.js'
import { type TaskWorld, taskWorld } from './task-world.js'

const sha256OfHi = '8f434346648f6b96df89dda901c5176b10a6d83961dd3c1ac88b59b2dc327aa4'

/** The store as its backup had it: without what came later. Then it is restored. */
async function restoredWithout(world: TaskWorld, taskId: number, number: number): Promise<AgentCaller> {
  const caller = await world.caller(taskId, number)
  await world.store.transaction('create_token', async (tx) => {
    await tx.db.deleteFrom('task_attempts').where('task_id', '=', taskId).where('number', '=', number).execute()
    const before = { attempt: number - 1, status: number === 1 ? 'pending' : 'apply_pending' }
    await tx.db.updateTable('workspace_tasks').set(before).where('id', '=', taskId).execute()
  })
  world.clock.advance(60_000)
  await afterRestore(world, { epoch: 2 })
  return caller
}

function sendLog(world: TaskWorld, caller: AgentCaller, taskId: number, phase: 'plan' | 'apply') {
  return saveChunk(world, { caller, taskId, phase, offset: 0, bytes: Buffer.from('hi') })
}

describe('an attempt that is not in the backup, of a task that is', () => {
  it('is taken as late: its log is whole, its states are rescued, and its status moves nothing', async () => {
    await using world = await taskWorld()
    const taskId = await runningApply(world)
    const caller = await restoredWithout(world, taskId, 2)
    expect(await nextLogOffset(world, { caller, taskId, phase: 'apply' })).toEqual({ next_offset: 0 })
    expect(await sendLog(world, caller, taskId, 'apply')).toMatchObject({ next_offset: 2, late: true })
    await sealLog(world, { caller, taskId, phase: 'apply', totalBytes: 2, sha256: sha256OfHi })
    expect(await readLog(world, { taskId, phase: 'apply', attempt: 2 })).toMatchObject({ state: 'complete' })
    const text = JSON.stringify({ version: 4, serial: 3, lineage: 'of then', resources: [] })
    const draft = await receiveRawState(world, Readable.from([Buffer.from(text)]), undefined)
    expect(await saveTaskState(world, { caller, taskId, draft })).toMatchObject({ late: true, rescued: true })
    const { items } = await listStates(world, { workspaceId: world.workspace.id, limit: 10 })
    expect(items).toMatchObject([{ rescued: true, current: false, task_id: taskId }])
    const report = { status: 'success' } as const
    await expect(reportStatus(world, { caller, taskId, report })).rejects.toMatchObject({ code: 'stale_lease' })
    await expect(startApply(world, { caller, taskId, startId: 'x' })).rejects.toMatchObject({ code: 'stale_lease' })
    expect(await world.task(taskId)).toMatchObject({ status: 'apply_pending', attempt: 1, confirmed_by: null })
    await expect(confirmTask(world, { taskId, by: 'eve' })).rejects.toMatchObject({ code: 'plan_stale' })
    expect(await world.attempt(taskId, 2)).toMatchObject({ state: 'final', outcome: 'after_backup', phase: 'apply' })
  })

  it('locks the workspace when it was an apply, once', async () => {
    await using world = await taskWorld()
    const taskId = await runningApply(world)
    const caller = await restoredWithout(world, taskId, 2)
    await sendLog(world, caller, taskId, 'apply')
    const { id } = world.workspace
    expect((await getWorkspace(world, id)).lock).toMatchObject({
      owner: `lost_apply:${taskId}`,
      reason: expect.stringContaining('applied after the backup'),
    })
    await unlockWorkspace(world, { id })
    await sendLog(world, caller, taskId, 'apply')
    expect((await getWorkspace(world, id)).lock?.owner).toBe('task')
  })

  it('was an apply: its plan is spent, whoever confirms it and whenever that was', async () => {
    await using world = await taskWorld()
    const taskId = await runningApply(world)
    const caller = await restoredWithout(world, taskId, 2)
    const confirm = () => confirmTask(world, { taskId, by: 'eve' })
    await confirm() // before its agent is heard
    await world.newReconciler().pass()
    const second = await world.caller(taskId, 1_001)
    await sendLog(world, caller, taskId, 'apply')
    const stale = { code: 'plan_stale', message: expect.stringContaining('attempt 2') }
    await expect(startApply(world, { caller: second, taskId, startId: 'x' })).rejects.toMatchObject(stale)
    expect(await world.task(taskId)).toMatchObject({ status: 'failed', error_code: 'plan_stale' })
  })

  it('leaves the task to be planned anew, apart from it, when it was a plan', async () => {
    await using world = await taskWorld()
    const taskId = await runningPlan(world)
    const caller = await restoredWithout(world, taskId, 1)
    await sendLog(world, caller, taskId, 'plan')
    expect((await getWorkspace(world, world.workspace.id)).lock).toBeNull()
    await world.newReconciler().pass()
    expect(world.link.runs.at(-1)).toMatchObject({ taskId, phase: 'plan', attempt: 1_001 })
    expect(await sendLog(world, await world.caller(taskId, 1_001), taskId, 'plan')).not.toHaveProperty('late')
    expect(await sendLog(world, caller, taskId, 'plan')).toMatchObject({ late: true })
  })
})

describe('a lease that proves nothing here', () => {
  it.each([
    ['of a task that is not in the backup', async (world: TaskWorld, taskId: number) => deleteTask(world, taskId)],
    [
      'of a task whose id was given to another one',
      async (world: TaskWorld, taskId: number) => {
        await deleteTask(world, taskId)
        await world.store.transaction('create_token', async (tx) =>
          tx.hot.run("UPDATE sqlite_sequence SET seq = ? WHERE name = 'workspace_tasks'", taskId - 1),
        )
        expect(await world.create('plan_and_apply')).toBe(taskId)
      },
    ],
  ])('%s is unknown, and no data of it is taken', async (_, change) => {
    await using world = await taskWorld()
    const taskId = await plannedTask(world)
    const caller = await restoredWithout(world, taskId, 1)
    await change(world, taskId)
    const unknown = { code: 'unknown_attempt', httpStatus: 404 }
    await expect(sendLog(world, caller, taskId, 'plan')).rejects.toMatchObject(unknown)
    await expect(nextLogOffset(world, { caller, taskId, phase: 'plan' })).rejects.toMatchObject(unknown)
    const rows = await world.store.read(({ db }) => db.selectFrom('task_log_streams').selectAll().execute())
    expect(rows).toEqual([])
  })

  it('is never proved in a store that was not restored', async () => {
    await using world = await taskWorld()
    const taskId = await runningPlan(world)
    const caller = await world.caller(taskId, 1)
    await world.store.transaction('create_token', (tx) => tx.db.deleteFrom('task_attempts').execute())
    await expect(sendLog(world, caller, taskId, 'plan')).rejects.toMatchObject({ code: 'unknown_attempt' })
  })
})

async function deleteTask(world: TaskWorld, taskId: number): Promise<void> {
  await world.store.transaction('create_token', (tx) =>
    tx.db.deleteFrom('workspace_tasks').where('id', '=', taskId).execute(),
  )
  await world.store.transaction('create_token', (tx) =>
    tx.db.updateTable('workspaces').set({ locked_by_task: null }).execute(),
  )
  world.clock.advance(1_000)
}
