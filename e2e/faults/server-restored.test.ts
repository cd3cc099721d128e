import { join } from 'node:path'
import { createPoolAndKey, eventually, startFakeAgent, startServer } from '@iac-agent/testkit'
import { execa } from 'execa'
import { expect, it } from 'vitest'
import { serverBin } from './kill-load.js'
import { byLength, lasting } from './lengths.js'

async function admin(dataDir: string, ...args: string[]) {
  const argv = [serverBin[1], ...args, '--data-dir', dataDir, '--json']
  const { exitCode, stdout, stderr } = await execa(serverBin[0], argv, { reject: false })
  return { exitCode, stderr, answer: stdout === '' ? {} : (JSON.parse(stdout) as Record<string, unknown>) }
}

it('goes back to a backup as another life of the store, which its agents are told, and not while it runs', async () => {
  await using server = await startServer()
  const { poolId, key } = await createPoolAndKey(server.client)
  await server.client.workspaces.create({ body: { name: 'before', pool_id: poolId } })
  const file = join(server.dataDir, 'backup.sqlite')
  expect(await admin(server.dataDir, 'backup', file)).toMatchObject({ exitCode: 0, answer: { file } })
  await server.client.workspaces.create({ body: { name: 'after', pool_id: poolId } })
  {
    await using agent = await startFakeAgent({ url: server.url, key })
    expect(await agent.next('welcome')).toMatchObject({ store_epoch: 1 })
  }
  const refused = await admin(server.dataDir, 'restore', file)
  expect([refused.exitCode, refused.stderr]).toEqual([5, expect.stringContaining(`process ${server.child.pid}`)])
  await server.stop('SIGKILL')
  expect(await admin(server.dataDir, 'restore', file)).toMatchObject({ exitCode: 0, answer: { store_epoch: 2 } })
  await server.start()
  await using agent = await startFakeAgent({ url: server.url, key, bootEpoch: 2 })
  expect(await agent.next('welcome')).toMatchObject({ store_epoch: 2 })
  const { items } = await server.client.workspaces.list()
  expect(items.map(({ name }) => name)).toEqual(['before'])
})

/** Longer than a lease lasts. */
const stopped = byLength({
  short: { leaseMs: 2_000, ms: 4_000, times: 3 },
  long: { leaseMs: 60_000, ms: 90_000, times: 2 },
})

it('ends no lease because it was stopped itself, for longer than a lease lasts', { timeout: 400_000 }, async () => {
  const { leaseMs } = stopped
  await using server = await startServer({
    args: ['--lease-ttl', `${leaseMs}ms`, '--heartbeat-interval', `${leaseMs / 4}ms`],
  })
  const { poolId, key } = await createPoolAndKey(server.client)
  const workspace = await server.client.workspaces.create({ body: { name: 'w', pool_id: poolId } })
  const { id } = await server.client.tasks.create({ params: { id: workspace.id }, body: { task_type: 'plan' } })
  await using agent = await startFakeAgent({ url: server.url, key })
  const { attempt } = await agent.next('run_task')
  agent.send('task_accepted', { task_id: id, attempt })
  const state = async () => (await server.client.tasks.get({ params: { id } })).status
  await eventually('the task runs', async () => (await state()) === 'running')
  for (let stop = 0; stop < stopped.times; stop++) {
    agent.heartbeat({ current_tasks: [id] })
    process.kill(server.child.pid, 'SIGSTOP')
    await lasting(stopped.ms)
    process.kill(server.child.pid, 'SIGCONT')
    agent.heartbeat({ current_tasks: [id] })
    const acknowledged = agent.messages.filter(({ type }) => type === 'heartbeat_ack').length
    await eventually(
      'a heartbeat is answered',
      () => agent.messages.filter(({ type }) => type === 'heartbeat_ack').length > acknowledged,
    )
    expect(await server.client.tasks.get({ params: { id } })).toMatchObject({ status: 'running', attempt: 1 })
  }
  await eventually('a lease nobody renews ends all the same', async () => (await state()) !== 'running', {
    timeoutMs: 15_000 + 2 * leaseMs,
  })
})
