import { readdir } from 'node:fs/promises'
import { eventually, type FakeTask, startFakeServer } from '@iac-agent/testkit'
import { expect, it } from 'vitest'
import { startDaemon } from '../_util/daemon.js'

const two = {
  resource: { terraform_data: { one: { input: 'a' }, two: { input: `\${terraform_data.one.id}` } } },
  output: { both: { value: `\${terraform_data.two.id}` } },
}

const finalStatus = (task: FakeTask) => eventually(`end of task ${task.id}`, () => task.finalStatus)

it('plans what the server offers and delivers log, plan-json and status', async () => {
  await using server = await startFakeServer()
  await using daemon = await startDaemon({ server, flags: { keepAttempts: '0' } })
  await server.message('heartbeat')
  const task = server.addTask({ workspace: { tf_code: two } })
  server.offer(task)
  expect(await server.message('task_accepted')).toMatchObject({ task_id: task.id, attempt: task.attempt })
  expect(await finalStatus(task)).toMatchObject({
    status: 'success',
    changes_add: 2,
    changes_change: 0,
    changes_destroy: 0,
  })
  expect(task.log.toString()).toContain('Plan: 2 to add, 0 to change, 0 to destroy.')
  expect(task.seals).toHaveLength(1)
  expect(JSON.parse(String(task.planJson))).toMatchObject({ planned_values: {} })
  expect(task.plan).toBeUndefined()
  await eventually('the attempt directory to be gone', async () => (await readdir(daemon.data.attempts)).length === 0)
})

it('applies exactly the plan that was delivered', async () => {
  await using server = await startFakeServer()
  await using _daemon = await startDaemon({ server })
  await server.message('heartbeat')
  const plan = server.addTask({ taskType: 'plan_and_apply', workspace: { workspace_id: 'ws-a', tf_code: two } })
  server.offer(plan)
  await finalStatus(plan)
  const archive = plan.plan
  if (!archive) throw new Error('no plan was delivered')
  const apply = server.addTask({ action: 'apply', workspace: { workspace_id: 'ws-a', tf_code: two }, plan: archive })
  server.offer(apply)
  expect(await finalStatus(apply)).toMatchObject({ status: 'applied', changes_add: 2 })
  expect(apply.log.toString()).toContain('terraform_data.two: Creation complete')
  expect(apply.log.toString()).not.toContain('@level')
  expect(apply.starts).toHaveLength(1)
  expect(JSON.parse(String(apply.states.at(-1)))).toMatchObject({ lineage: 'lineage-of-ws-a', resources: [{}, {}] })
  expect(apply.resources.filter(({ status }) => status === 'complete').map(({ address }) => address)).toEqual([
    'terraform_data.one',
    'terraform_data.two',
  ])
})

it('plans a new workspace of builtin resources without an init, once any workspace has had one', async () => {
  await using server = await startFakeServer()
  await using _daemon = await startDaemon({ server })
  await server.message('heartbeat')
  const logs: string[] = []
  for (const workspace_id of ['ws-first', 'ws-second']) {
    const task = server.addTask({ workspace: { workspace_id, tf_code: two } })
    server.offer(task)
    expect(await finalStatus(task)).toMatchObject({ status: 'success', changes_add: 2 })
    logs.push(task.log.toString())
  }
  expect(logs[0]).toContain('Initializing the backend')
  expect(logs[1]).not.toContain('Initializing')
})
