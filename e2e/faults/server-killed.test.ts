import { join } from 'node:path'
import { createPoolAndKey, type RunningServer, startFakeAgent, startServer } from '@iac-agent/testkit'
import { execa } from 'execa'
import { expect, it } from 'vitest'
import { logWriter, serverBin, stateWriter, taskWriter, type Victim, type Writer } from './kill-load.js'

const kills = 12
const victims = 3

it('keeps what it acknowledged, and keeps it once, when it is killed at random instants under load', async () => {
  await using server = await startServer()
  const { poolId, key } = await createPoolAndKey(server.client)
  const queue = await createPoolAndKey(server.client, 'without-agents')
  const agent = await startFakeAgent({ url: server.url, key })
  const taken = await Promise.all(Array.from({ length: victims }, (_, index) => take(server, agent, poolId, index)))
  const { id } = await server.client.workspaces.create({ body: { name: 'queue', pool_id: queue.poolId } })

  let acknowledged = 0
  let killAt = Number.POSITIVE_INFINITY
  let killed: Promise<unknown> = Promise.resolve()
  const onAcknowledged = () => {
    acknowledged += 1
    if (acknowledged === killAt) killed = server.stop('SIGKILL')
  }
  const parts = { server, agent, onAcknowledged }
  const writers = [taskWriter(parts, id), ...taken.flatMap((one) => [logWriter(parts, one), stateWriter(parts, one)])]
  for (let kill = 0; kill < kills; kill++) {
    killAt = acknowledged + 1 + Math.floor(Math.random() * 150)
    await Promise.all(writers.map((writer) => untilGone(writer)))
    expect(acknowledged).toBeGreaterThanOrEqual(killAt)
    await killed
    await server.start()
    for (const writer of writers) await writer.verify()
  }
  await agent[Symbol.asyncDispose]()
  const file = join(server.dataDir, 'whole.sqlite')
  await execa(serverBin[0], [serverBin[1], 'backup', file, '--data-dir', server.dataDir])
})

/** A workspace with a plan that the agent has accepted. */
async function take(
  server: RunningServer,
  agent: Awaited<ReturnType<typeof startFakeAgent>>,
  pool_id: string,
  index: number,
): Promise<Victim> {
  const workspace = await server.client.workspaces.create({ body: { name: `w${index}`, pool_id } })
  const { id } = await server.client.tasks.create({ params: { id: workspace.id }, body: { task_type: 'plan' } })
  const { attempt, lease_token } = await agent.next('run_task', (order) => order.task_id === id)
  agent.send('task_accepted', { task_id: id, attempt })
  return { taskId: id, lease: lease_token, workspaceId: workspace.id, lineage: workspace.lineage }
}

/** Only the end of the connection ends a writer: an answer it did not expect fails the test. */
async function untilGone(writer: Writer): Promise<void> {
  try {
    await writer.write()
  } catch (err) {
    if (!(err instanceof TypeError)) throw err // fetch: the connection failed
  }
}
