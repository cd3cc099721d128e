import { describe, expect, it } from 'vitest'
import { createTask } from '../../src/domain/tasks/create-task.js'
import { listTasks } from '../../src/domain/tasks/list-tasks.js'
import { taskData } from '../../src/domain/tasks/task-data.js'
import { createVariable } from '../../src/domain/workspaces/variables.js'
import { changeWorkspace } from '../../src/domain/workspaces/workspaces.js'
import { taskWorld } from './task-world.js'

describe('queueing a task', () => {
  it('with the same Idempotency-Key answers the same task, and refuses the key for another request', async () => {
    await using world = await taskWorld()
    const request = { workspaceId: 'name:prod', by: 'olga', body: { task_type: 'plan' }, idempotencyKey: 'k1' } as const
    const first = await createTask(world, request)
    const again = await createTask(world, request)
    expect([first.created, again.created, again.task.id]).toEqual([true, false, first.task.id])
    const other = createTask(world, { ...request, body: { task_type: 'destroy' } })
    await expect(other).rejects.toMatchObject({ code: 'conflict' })
    const someoneElse = await createTask(world, { ...request, by: 'eve' })
    expect(someoneElse.created).toBe(true)
  })

  it('freezes its inputs: what is edited later is not what the agent gets', async () => {
    await using world = await taskWorld({ tf_code: { output: { a: { value: 1 } } } })
    await world.connect('a')
    const body = { key: 'secret', value: 'then', category: 'terraform', sensitive: true, hcl: false } as const
    await createVariable(world, { workspaceId: world.workspace.id, body })
    const taskId = await world.create('plan', { targets: ['terraform_data.a'], description: 'why' })
    await changeWorkspace(world, { id: world.workspace.id, patch: { tf_code: { output: { a: { value: 2 } } } } })
    await world.reconciler.pass()
    const document = await taskData(world, { caller: await world.caller(taskId, 1), taskId, includeState: true })
    expect(JSON.parse(String(document))).toMatchObject({
      task: { context: { targets: ['terraform_data.a'], replace: [], refresh: true, description: 'why' } },
      workspace: { tf_code: { output: { a: { value: 1 } } }, lineage: world.workspace.lineage },
      variables: [{ key: 'secret', value: 'then', sensitive: true }],
    })
  })

  it('for a workspace that does not exist is refused', async () => {
    await using world = await taskWorld()
    await expect(world.create('plan', { workspaceId: 'name:nowhere' })).rejects.toMatchObject({ code: 'not_found' })
  })
})

describe('the list of tasks', () => {
  it('is newest first, page by page, by workspace and status', async () => {
    await using world = await taskWorld()
    const ids = [await world.create('plan'), await world.create('plan'), await world.create('drift_check')]
    const first = await listTasks(world, { limit: 2, workspaceId: world.workspace.id, status: 'pending' })
    expect(first.items.map((task) => task.id)).toEqual([ids[2], ids[1]])
    expect(first.items[0]?.pending_reason?.code).toBe('no_agent_online')
    const rest = await listTasks(world, { limit: 2, cursor: first.next_cursor ?? '' })
    expect(rest.items.map((task) => task.id)).toEqual([ids[0]])
    expect(rest.next_cursor).toBeNull()
    expect((await listTasks(world, { status: 'applied' })).items).toEqual([])
  })
})
