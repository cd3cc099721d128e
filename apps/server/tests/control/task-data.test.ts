import { createHash } from 'node:crypto'
import { parse, TaskData } from '@iac-agent/protocol'
import { expect, it } from 'vitest'
import { socketWorld } from './socket-world.js'

it('hands out everything a task needs: workspace, resources, variables, state and what to do', async () => {
  await using world = await socketWorld()
  await using agent = await world.connect('seed')
  const workspace = `/workspaces/${world.workspace.id}`
  const settings = {
    terraform_version: '1.8.5',
    provider_config: { provider: {} },
    tf_code: { output: { a: { value: 1 } } },
    system_variables: { AWS_REGION: 'eu-west-1' },
  }
  expect((await world.operate('PATCH', workspace, settings)).status).toBe(200)
  const tf_code = { input: 'first' }
  const resource = { resource_type: 'terraform_data', resource_name: 'one', tf_code }
  const { body: made } = await world.operate('POST', `${workspace}/resources`, resource)
  await world.operate('PATCH', `${workspace}/resources/${made.id}`, { tf_code: { input: 'second' } })
  const secret = { key: 'token', value: 'in clear here', category: 'terraform', sensitive: true, hcl: false }
  expect((await world.operate('POST', `${workspace}/variables`, secret)).status).toBe(201)
  const content = { version: 4, serial: 7, lineage: 'imported', outputs: {}, resources: [] }
  expect((await world.operate('POST', `${workspace}/state`, content)).status).toBe(201)
  const bytes = JSON.stringify(content)

  const order = { task_type: 'plan', description: 'why', targets: ['terraform_data.one'] }
  const { body: task } = await world.operate('POST', `${workspace}/tasks`, order)
  await agent.next('run_task')
  const { body } = await world.ask('GET', `/agents/tasks/${task.id}/data`)

  parse(TaskData, body, 'the data document')
  expect(body).toMatchObject({
    task: {
      id: task.id,
      workspace_id: world.workspace.id,
      task_type: 'plan',
      action: 'plan',
      context: { targets: ['terraform_data.one'], replace: [], refresh: true, description: 'why' },
      attempt: 1,
      created_at: task.created_at,
    },
    workspace: { workspace_id: world.workspace.id, name: 'prod', execution_mode: 'remote', ...settings },
    resources: [
      {
        resource_type: 'terraform_data',
        resource_name: 'one',
        current_version: { version: 2, tf_code: { input: 'second' } },
      },
    ],
    variables: [secret],
    state_version: {
      version: 1,
      content,
      checksum: createHash('sha256').update(bytes).digest('hex'),
      size: bytes.length,
    },
  })
})
