import { isFinal } from '@iac-agent/protocol'
import { createPoolAndKey, eventually } from '@iac-agent/testkit'
import { beforeAll, describe, expect, it } from 'vitest'
import type { Container } from './engine.js'
import { findEngine } from './find-engine.js'
import { buildImages, type Images, startAgentContainer, startServerContainer } from './images.js'

const megabyte = 1_000_000

/** `quick` is there at once; `slow` is still being created when the container is stopped. */
const slowApply = {
  resource: {
    terraform_data: {
      quick: { input: 'there' },
      slow: { depends_on: ['terraform_data.quick'], provisioner: { 'local-exec': { command: 'sleep 600' } } },
    },
  },
}

describe('the images', () => {
  let images: Images
  beforeAll(async () => {
    images = await buildImages(await findEngine())
  })

  it.each(['server', 'agent'] as const)('hold no more than 120 MB on top of the base: %s', async (program) => {
    const size = await images.engine.sizeBytes(images[program])
    const base = await images.engine.sizeBytes(images.base)
    console.log(`${program}: ${((size - base) / megabyte).toFixed(1)} MB on top of ${(base / megabyte).toFixed(1)} MB`)
    expect((size - base) / megabyte).toBeLessThanOrEqual(120)
  })

  it('plan and apply through each other, healthy, and keep task and state on the volume of the server', async () => {
    await using serverVolume = await images.engine.volume()
    await using agentVolume = await images.engine.volume()
    const { workspaceId, taskId } = await planAndApply()

    await using again = await startServerContainer(images, serverVolume)
    expect((await again.client.tasks.get({ params: { id: taskId } })).status).toBe('applied')
    const state = await again.client.states.current({ params: { id: workspaceId } })
    expect(await state.text()).toContain('"there"')

    async function planAndApply() {
      await using server = await startServerContainer(images, serverVolume)
      const { poolId, key } = await createPoolAndKey(server.client)
      await using agent = await startAgentContainer(images, { url: server.url, key, volume: agentVolume })
      await isHealthy(server.container)
      await isHealthy(agent)
      const tf_code = { resource: { terraform_data: { quick: { input: 'there' } } } }
      const body = { name: 'boxed', pool_id: poolId, auto_apply: true, tf_code }
      const workspace = await server.client.workspaces.create({ body })
      const params = { id: workspace.id }
      const task = await server.client.tasks.create({ params, body: { task_type: 'plan_and_apply' } })
      await eventually(
        'the task is applied',
        async () => {
          const { status, error_message } = await server.client.tasks.get({ params: { id: task.id } })
          if (isFinal(status)) expect({ status, error_message }).toEqual({ status: 'applied', error_message: null })
          return status === 'applied'
        },
        { timeoutMs: 60_000 },
      )
      return { workspaceId: workspace.id, taskId: task.id }
    }
  })

  it('bring out the state and end the task when the agent is stopped in mid-apply, killed after 30 s', async () => {
    await using serverVolume = await images.engine.volume()
    await using agentVolume = await images.engine.volume()
    await using server = await startServerContainer(images, serverVolume)
    const { poolId, key } = await createPoolAndKey(server.client)
    await using agent = await startAgentContainer(images, { url: server.url, key, volume: agentVolume })
    const body = { name: 'stopped', pool_id: poolId, auto_apply: true, tf_code: slowApply }
    const { id } = await server.client.workspaces.create({ body })
    const task = await server.client.tasks.create({ params: { id }, body: { task_type: 'plan_and_apply' } })
    const taskParams = { params: { id: task.id } }
    await eventually(
      'the slow resource is being created',
      async () =>
        (await server.client.tasks.get(taskParams)).apply_output?.includes('terraform_data.slow: Creating...'),
      { timeoutMs: 60_000 },
    )

    await agent.stop(30_000)

    const ended = await server.client.tasks.get(taskParams)
    expect(isFinal(ended.status), `status ${ended.status}`).toBe(true)
    expect(ended.status).not.toBe('applied')
    const state = await (await server.client.states.current({ params: { id } })).text()
    expect(state).toContain('"there"')
  })
})

async function isHealthy(container: Container): Promise<void> {
  const { code, output } = await container.health()
  expect(code, `${output}\nit said:\n${container.lines.join('\n')}`).toBe(0)
}
