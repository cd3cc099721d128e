import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { limits } from '@iac-agent/protocol'
import { expect, it } from 'vitest'
import { readLog } from '../domain/read-log.js'
import { type Answer, attemptServer } from './attempt-server.js'

const sha256 = (bytes: string | Buffer) => createHash('sha256').update(bytes).digest('hex')
const json = { 'content-type': 'application/json' }
const octets = { 'content-type': 'application/octet-stream' }
const gzip = { ...octets, 'content-encoding': 'gzip' }
const codeOf = ({ status, json: body }: Answer) => [status, (body as { error?: { code: string } }).error?.code]
const chunk = (fields: object) => JSON.stringify({ phase: 'plan', offset: 0, content: '', ...fields })

it('takes the chunk of the seed, offsets counting UTF-8 bytes', async () => {
  await using server = await attemptServer()
  const send = await server.attempt('plan', { seedOnly: true })
  const first = await send('POST', 'logs/chunk', chunk({ content: 'größe\n', checksum: sha256('größe\n') }), json)
  expect([first.status, first.json]).toEqual([200, { status: 'ok', next_offset: 8, saved_bytes: 8 }])
  const second = await send('POST', 'logs/chunk', chunk({ offset: 8, content: 'x', checksum: '' }), json)
  expect(second.json).toEqual({ status: 'ok', next_offset: 9, saved_bytes: 1 })
})

it('takes a raw gzip chunk and proves the log complete', async () => {
  await using server = await attemptServer()
  const send = await server.attempt('plan')
  const text = 'Terraform will perform the following actions\n'.repeat(1000)
  const headers = { ...gzip, 'x-content-sha256': sha256(text) }
  expect((await send('POST', 'logs/chunk?phase=plan&offset=0', gzipSync(text), headers)).status).toBe(200)
  expect((await send('GET', 'logs/offset?phase=plan')).json).toEqual({ next_offset: text.length })
  const seal = JSON.stringify({ phase: 'plan', total_bytes: text.length, sha256: sha256(text) })
  expect((await send('POST', 'logs/seal', seal, json)).json).toEqual({ status: 'complete' })
  const log = await readLog(server.task.deps, { taskId: server.task.taskId, limit: text.length })
  expect([log.state, log.bytes.toString()]).toEqual(['complete', text])
})

it('answers a gap with 409 and the offset to go on from', async () => {
  await using server = await attemptServer()
  const send = await server.attempt('plan')
  await send('POST', 'logs/chunk', chunk({ content: 'abc' }), json)
  const gap = await send('POST', 'logs/chunk', chunk({ offset: 5, content: 'x' }), json)
  expect(codeOf(gap)).toEqual([409, 'offset_gap'])
  expect(gap.json).toMatchObject({ error: { details: { next_offset: 3 } }, request_id: expect.any(String) })
  expect(codeOf(await send('POST', 'logs/chunk', chunk({ content: 'aXc' }), json))).toEqual([409, 'log_diverged'])
})

it('refuses a chunk whose checksum is not its own', async () => {
  await using server = await attemptServer()
  const send = await server.attempt('plan')
  const asJson = await send('POST', 'logs/chunk', chunk({ content: 'abc', checksum: sha256('abd') }), json)
  expect(codeOf(asJson)).toEqual([422, 'checksum_mismatch'])
  const raw = await send('POST', 'logs/chunk?phase=plan&offset=0', 'abc', { ...octets, 'x-content-sha256': 'nonsense' })
  expect(codeOf(raw)).toEqual([422, 'checksum_mismatch'])
  expect((await send('GET', 'logs/offset?phase=plan')).json).toEqual({ next_offset: 0 })
})

it('bounds a chunk by what it unpacks to', async () => {
  await using server = await attemptServer()
  const send = await server.attempt('plan')
  const bomb = gzipSync(Buffer.alloc(32 * limits.logChunkBytes))
  expect(codeOf(await send('POST', 'logs/chunk?phase=plan&offset=0', bomb, gzip))).toEqual([413, 'too_large'])
  const large = Buffer.alloc(limits.logChunkBytes + 1, 'x')
  expect(codeOf(await send('POST', 'logs/chunk?phase=plan&offset=0', large, octets))).toEqual([413, 'too_large'])
  const asJson = chunk({ content: large.toString() })
  expect(codeOf(await send('POST', 'logs/chunk', asJson, json))).toEqual([413, 'too_large'])
  const exact = await send('POST', 'logs/chunk?phase=plan&offset=0', large.subarray(1), octets)
  expect(exact.json).toMatchObject({ next_offset: limits.logChunkBytes })
})

it('names what is wrong with a malformed chunk', async () => {
  await using server = await attemptServer()
  const send = await server.attempt('plan')
  const broken = [
    await send('POST', 'logs/chunk', '{"phase":', json),
    await send('POST', 'logs/chunk', chunk({ phase: 'init' }), json),
    await send('POST', 'logs/chunk', chunk({ offset: -1 }), json),
    await send('POST', 'logs/chunk', chunk({ offset: '0' }), json),
    await send('POST', 'logs/chunk?offset=0', 'abc', octets),
    await send('POST', 'logs/chunk?phase=plan', 'abc', octets),
    await send('POST', 'logs/chunk?phase=plan&offset=0', 'not gzip', gzip),
    await send('POST', 'logs/seal', JSON.stringify({ phase: 'plan', total_bytes: 0, sha256: '' }), json),
  ]
  expect(broken.map(codeOf)).toEqual(broken.map(() => [400, 'invalid_request']))
  expect(broken.map((answer) => (answer.json as { error: { message: string } }).error.message)).toEqual([
    expect.stringContaining('JSON'),
    expect.stringContaining('phase'),
    expect.stringContaining('offset'),
    expect.stringContaining('offset'),
    expect.stringContaining('phase is required'),
    expect.stringContaining('offset is required'),
    expect.stringContaining('gzip'),
    expect.stringContaining('sha256'),
  ])
  const other = await send('POST', 'logs/chunk', 'abc', { 'content-type': 'text/plain' })
  expect(codeOf(other)).toEqual([415, 'unsupported_media_type'])
})

it('stores what a stale attempt sends and says it is late', async () => {
  await using server = await attemptServer()
  const stale = await server.attempt('plan')
  await server.attempt('plan')
  const late = await stale('POST', 'logs/chunk', chunk({ content: 'late' }), json)
  expect([late.status, late.json]).toEqual([200, { status: 'ok', next_offset: 4, saved_bytes: 4, late: true }])
})

it("refuses a chunk for another agent's task, and one without the lease", async () => {
  await using server = await attemptServer()
  const caller = await server.task.offer('plan')
  const { lease: _lease, ...withoutLease } = caller
  const body = chunk({ content: 'x' })
  expect(codeOf(await server.as(withoutLease)('POST', 'logs/chunk', body, json))).toEqual([403, 'forbidden'])
  expect(codeOf(await server.as({ ...caller, lease: '1.forged' })('POST', 'logs/chunk', body, json))).toEqual([
    403,
    'forbidden',
  ])
  expect(codeOf(await server.as({ ...caller, agentId: 'agent-seed' })('POST', 'logs/chunk', body, json))).toEqual([
    403,
    'forbidden',
  ])
})
