import { expect, it } from 'vitest'
import { getTask } from '../../src/domain/tasks/task-view.js'
import { attemptServer } from './attempt-server.js'

it('ends no task by what a store acknowledged that was restored since', async () => {
  await using server = await attemptServer()
  const send = await server.attempt('plan')
  const put = (store_epoch: number) =>
    send('PUT', 'status', JSON.stringify({ status: 'failed', store_epoch }), { 'content-type': 'application/json' })
  const status = async () => (await getTask(server.task.deps, { taskId: server.task.taskId })).status
  const refused = await put(2)
  expect(refused).toMatchObject({
    status: 503,
    json: { error: { code: 'unavailable', details: { store_epoch: 1 } } },
  })
  expect(refused.headers.get('x-store-epoch')).toBe('1')
  expect(await status()).toBe('running')
  expect((await put(1)).status).toBe(200)
  expect(await status()).toBe('failed')
})
