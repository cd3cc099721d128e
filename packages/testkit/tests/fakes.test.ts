import { createHash } from 'node:crypto'
import { constants, createDeflateRaw } from 'node:zlib'
import { expect, it } from 'vitest'
import { startFakeAgent, startFakeServer } from '../src/index.js'

it('the two fakes run a whole attempt with each other', async () => {
  await using server = await startFakeServer()
  await using agent = await startFakeAgent({ url: server.url, key: server.key, agentId: 'a-1' })
  await agent.next('welcome')
  await server.message('heartbeat')

  const task = server.addTask({ workspace: { tf_code: 'output "a" {}' } })
  server.offer(task)
  const { task_id, lease_token: lease } = await agent.next('run_task')
  const data = (await (await agent.http('GET', `/tasks/${task_id}/data`, { lease })).json()) as { workspace: object }
  expect(data.workspace).toMatchObject({ tf_code: 'output "a" {}' })

  const chunk = await agent.http('POST', `/tasks/${task_id}/logs/chunk?phase=plan&offset=0`, {
    lease,
    body: Buffer.from('planning\n'),
  })
  expect(await chunk.json()).toEqual({ status: 'ok', next_offset: 9, saved_bytes: 9 })
  agent.sendFrame(await liveFrame({ task_id, attempt: 1, phase: 'plan', offset: 9 }, 'x'.repeat(100_000)))
  expect(await agent.next('log_ack')).toEqual({ task_id, attempt: 1, next_offset: 100_009 })
  const gap = await agent.http('POST', `/tasks/${task_id}/logs/chunk`, {
    lease,
    body: { phase: 'plan', content: 'later', offset: 200_000 },
  })
  expect(gap.status).toBe(409)
  expect(await gap.json()).toMatchObject({ error: { code: 'offset_gap', details: { next_offset: 100_009 } } })

  const sha256 = createHash('sha256').update(task.log).digest('hex')
  const seal = { phase: 'plan', total_bytes: 100_009, sha256 }
  expect((await agent.http('POST', `/tasks/${task_id}/logs/seal`, { lease, body: seal })).status).toBe(200)
  await agent.http('PUT', `/tasks/${task_id}/status`, { lease, body: { status: 'success', stage: 'completed' } })
  expect(task.finalStatus).toMatchObject({ status: 'success' })
})

it('the fake server fails on demand, then answers again', async () => {
  await using server = await startFakeServer()
  await using agent = await startFakeAgent({ url: server.url, key: server.key })
  const task = server.addTask()
  server.fail({
    match: /GET .*data$/,
    answer: { status: 502, body: '<html>', headers: { 'content-type': 'text/html' } },
  })
  server.fail({ match: /GET .*data$/, answer: 'cut' })
  const ask = () => agent.http('GET', `/tasks/${task.id}/data`, { lease: task.lease })
  expect((await ask()).status).toBe(502)
  await expect(ask()).rejects.toThrow('fetch failed')
  expect((await ask()).status).toBe(200)
  expect((await agent.http('GET', `/tasks/${task.id}/data`, { lease: 'other' })).status).toBe(403)

  server.dropSockets(4409, 'replaced')
  expect(await agent.closed).toEqual({ code: 4409, reason: 'replaced' })
  server.revokeKey()
  expect((await ask()).status).toBe(401)
  await expect(startFakeAgent({ url: server.url, key: server.key, seedOnly: true })).rejects.toThrow('401')
})

async function liveFrame(header: object, text: string): Promise<Buffer> {
  const deflate = createDeflateRaw()
  const parts: Buffer[] = []
  deflate.on('data', (bytes: Buffer) => parts.push(bytes))
  deflate.write(`${JSON.stringify(header)}\n${text}`)
  await new Promise<void>((resolve) => deflate.flush(constants.Z_SYNC_FLUSH, resolve))
  return Buffer.concat(parts)
}
