import { describe, expect, it } from 'vitest'
import { discardTask } from '../../src/domain/tasks/discard-task.js'
import { lockWorkspace, unlockWorkspace } from '../../src/domain/workspaces/workspace-lock.js'
import { plannedTask } from './running-attempts.js'
import { type TaskWorld, taskWorld } from './task-world.js'

async function holderOf(world: TaskWorld): Promise<number | null | undefined> {
  const query = (id: string) =>
    world.store.read((reader) =>
      reader.db.selectFrom('workspaces').select('locked_by_task').where('id', '=', id).executeTakeFirst(),
    )
  return (await query(world.workspace.id))?.locked_by_task
}

describe('a task that may apply', () => {
  it('holds its workspace while it waits for confirmation, and gives it back when it is discarded', async () => {
    await using world = await taskWorld()
    const taskId = await plannedTask(world)
    expect(await holderOf(world)).toBe(taskId)
    const next = await world.create('destroy')
    const plan = await world.create('plan')
    await world.reconciler.pass()
    expect((await world.task(next)).pending_reason).toMatchObject({
      code: 'workspace_busy',
      details: { task_id: taskId },
    })
    expect(world.link.runs.at(-1)?.taskId).toBe(plan)
    expect((await discardTask(world, { taskId, by: 'olga' })).status).toBe('cancelled')
    expect(await holderOf(world)).toBeNull()
    await world.connect('b')
    await world.reconciler.pass()
    expect(world.link.runs.at(-1)).toMatchObject({ taskId: next, agentId: 'b' })
  })

  it('does not hold it while it is only queued', async () => {
    await using world = await taskWorld()
    await world.create('plan_and_apply')
    expect(await holderOf(world)).toBeNull()
  })
})

describe("an operator's lock", () => {
  it('holds every task back, says who and why, and lets it go when it is taken off', async () => {
    await using world = await taskWorld()
    await world.connect('a')
    await lockWorkspace(world, { id: world.workspace.id, by: 'eve', reason: 'audit' })
    const taskId = await world.create('plan')
    await world.reconciler.pass()
    expect(world.link.runs).toEqual([])
    expect((await world.task(taskId)).pending_reason).toMatchObject({
      code: 'workspace_locked',
      details: { locked_by: 'eve', reason: 'audit' },
    })
    await unlockWorkspace(world, { id: world.workspace.id })
    await world.reconciler.pass()
    expect(world.link.runs).toHaveLength(1)
  })
})
