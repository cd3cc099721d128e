/** Tasks brought where a test begins, through the use cases. */
import { acceptedByAgent } from '../../src/domain/attempts/answer-offer.js'
import { confirmTask } from '../../src/domain/tasks/confirm-task.js'
import { reportStatus } from '../../src/domain/tasks/report-status.js'
import type { TaskWorld } from './task-world.js'

/** A plan that agent `a` accepted. */
export async function runningPlan(world: TaskWorld): Promise<number> {
  await world.connect('a')
  const taskId = await world.create('plan')
  await world.reconciler.pass()
  await acceptedByAgent(world, { agentId: 'a', taskId, attempt: 1 })
  return taskId
}

/** A confirmed apply that agent `a` accepted: attempt 2 of its task. */
export async function runningApply(world: TaskWorld): Promise<number> {
  const taskId = await plannedTask(world)
  await confirmTask(world, { taskId, by: 'olga' })
  await savedPlan(world, taskId, 1)
  await world.reconciler.pass()
  await acceptedByAgent(world, { agentId: 'a', taskId, attempt: 2 })
  return taskId
}

export async function plannedTask(world: TaskWorld): Promise<number> {
  await world.connect('a')
  const taskId = await world.create('plan_and_apply')
  await world.reconciler.pass()
  const report = { status: 'success', changes_add: 1 } as const
  await reportStatus(world, { caller: await world.caller(taskId, 1), taskId, report })
  return taskId
}

export async function savedPlan(world: TaskWorld, task_id: number, attempt: number): Promise<void> {
  const plan = { task_id, attempt, sha256: 'f'.repeat(64), size_bytes: 1, late: 0, created_at: world.clock.now() }
  await world.store.transaction('create_token', (tx) => tx.db.insertInto('plans').values(plan).execute())
}

/** A state somebody imports beside all tasks. */
export async function importState(world: TaskWorld): Promise<void> {
  await world.store.transaction('create_token', async (tx) => {
    const row = {
      workspace_id: world.workspace.id,
      version: 1,
      serial: 1,
      lineage: 'l',
      sha256: 'e'.repeat(64),
      size_bytes: 1,
    }
    const flags = { rescued: 0, checksum_unverified: 0, created_at: world.clock.now() }
    const { id } = await tx.db
      .insertInto('workspace_state_versions')
      .values({ ...row, ...flags })
      .returning('id')
      .executeTakeFirstOrThrow()
    await tx.db.updateTable('workspaces').set({ tf_state: id }).where('id', '=', world.workspace.id).execute()
  })
}
