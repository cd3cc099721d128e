import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { createPoolAndKey, type RunningServer, startFakeAgent, startServer } from '@iac-agent/testkit'
import { expect, it } from 'vitest'

const MiB = 1024 * 1024
const chunks = 64
const slow = 10

it('needs no more memory for viewers that do not read and agents that hardly send, and serves the others', async () => {
  await using server = await startServer()
  const { poolId, key } = await createPoolAndKey(server.client)
  await using agent = await startFakeAgent({ url: server.url, key })
  const { id: workspace } = await server.client.workspaces.create({ body: { name: 'w', pool_id: poolId } })
  const { id } = await server.client.tasks.create({ params: { id: workspace }, body: { task_type: 'plan' } })
  const { attempt, lease_token: lease = '' } = await agent.next('run_task')
  agent.send('task_accepted', { task_id: id, attempt })
  const hash = createHash('sha256')
  const send = async (index: number) => {
    const body = Buffer.alloc(MiB, `${index} ${'some words of terraform '.repeat(3)}\n`)
    hash.update(body)
    const path = `/tasks/${id}/logs/chunk?phase=plan&offset=${index * MiB}`
    expect((await agent.http('POST', path, { body, lease })).status).toBe(200)
  }
  for (let index = 0; index < 16; index++) await send(index) // what serving takes at all is taken before
  const before = await memoryOf(server)

  const operator = `authorization: Bearer ${server.operatorToken}`
  const get = (path: string) => `GET /api/v1/tasks/${id}/${path} HTTP/1.1\r\nhost: x\r\n${operator}\r\n\r\n`
  const chunk = [
    `POST /api/v1/agents/tasks/${id}/logs/chunk?phase=plan&offset=0 HTTP/1.1`,
    `host: x\r\nx-app-key: ${key.app_key}\r\nx-app-secret: ${key.app_secret}\r\nx-task-lease: ${lease}`,
    `content-type: application/octet-stream\r\ncontent-length: ${MiB}\r\n\r\nonly the beginning`,
  ].join('\r\n')
  const requests = [get('logs/stream'), get(`logs?limit=${16 * MiB}`), chunk]
  const parties = await Promise.all(
    requests.flatMap((request) => Array.from({ length: slow }, () => sayAndStop(server, request))),
  )
  const watched = viewed(server, id)
  for (let index = 16; index < chunks; index++) await send(index)
  const sha256 = hash.digest('hex')
  const seal = { phase: 'plan', total_bytes: chunks * MiB, sha256 }
  expect((await agent.http('POST', `/tasks/${id}/logs/seal`, { body: seal, lease })).status).toBe(200)
  expect(await watched).toBe(sha256)
  expect(await viewed(server, id)).toBe(sha256)
  const grownMiB = Math.round(((await memoryOf(server)) - before) / MiB)
  // seen: 20 without anybody slow, 3.5 more for each of the ten; with all that was written kept for each it would be 640
  expect(grownMiB).toBeLessThan(150)
  for (const socket of parties) socket.destroy()
})

/** The most the server ever had in memory, in bytes; the maximum begins anew with each call. */
async function memoryOf({ child: { pid } }: RunningServer): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  await writeFile(`/proc/${pid}/clear_refs`, '5')
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024
}

/** A connection that sends a request (or its beginning) and then neither reads nor writes. */
async function sayAndStop({ url }: RunningServer, request: string): Promise<Socket> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  socket.on('error', () => {}) // it may be cut
  socket.pause()
  await once(socket, 'connect')
  socket.write(request)
  return socket
}

/** The hash of a whole log as a viewer gets it. */
async function viewed({ client }: RunningServer, id: number): Promise<string> {
  const hash = createHash('sha256')
  for await (const { text } of client.streamLogs(id, { phase: 'plan' })) hash.update(text)
  return hash.digest('hex')
}
