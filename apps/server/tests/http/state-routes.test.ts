import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { expect, it } from 'vitest'
import { workspaceLineage } from '../domain/running-task.js'
import { type Answer, attemptServer } from './attempt-server.js'

const sha256 = (bytes: string | Buffer) => createHash('sha256').update(bytes).digest('hex')
const json = { 'content-type': 'application/json' }
const octets = { 'content-type': 'application/octet-stream' }
const gzip = { ...octets, 'content-encoding': 'gzip' }
const codeOf = ({ status, json: body }: Answer) => [status, (body as { error?: { code: string } }).error?.code]
const stateText = (serial: number, more = '') =>
  `{ "version": 4, "serial": ${serial}, "lineage": "${workspaceLineage}", "big": 12345678901234567890${more} }`

it('takes raw and packed states and serves the current one as it came', async () => {
  await using server = await attemptServer()
  const send = await server.attempt('apply')
  expect(codeOf(await send('GET', 'state'))).toEqual([404, 'not_found'])
  const first = await send('POST', 'state', stateText(1), { ...octets, 'x-content-sha256': sha256(stateText(1)) })
  expect([first.status, first.json]).toEqual([200, { message: 'state saved successfully', version: 1 }])
  const packed = await send('POST', 'state', gzipSync(stateText(2)), {
    ...gzip,
    'x-content-sha256': sha256(stateText(2)),
  })
  expect(packed.json).toEqual({ message: 'state saved successfully', version: 2 })
  const served = await send('GET', 'state')
  expect(served.body.toString()).toBe(stateText(2))
  expect(served.headers.get('x-state-version')).toBe('2')
  expect(served.headers.get('x-content-sha256')).toBe(sha256(stateText(2)))
  expect(served.headers.get('content-length')).toBe(String(stateText(2).length))
})

it('takes the state of the seed, numbers unchanged', async () => {
  await using server = await attemptServer()
  const send = await server.attempt('apply', { seedOnly: true })
  const body = `{"content": ${stateText(3)}, "checksum": "sha256:${sha256(stateText(3))}", "size": ${stateText(3).length}}`
  for (const _ of [1, 2]) {
    expect((await send('POST', 'state', body, json)).json).toEqual({ message: 'state saved successfully', version: 1 })
  }
  expect((await send('GET', 'state')).body.toString()).toBe(stateText(3))
})

it('streams a state larger than any part through, byte by byte', async () => {
  await using server = await attemptServer()
  const send = await server.attempt('apply')
  const pad = Buffer.from(`"${'0123456789abcdef'.repeat(65_536)}",`)
  const head = Buffer.from(`{"version":4,"serial":1,"lineage":"${workspaceLineage}","pad":[`)
  const parts = [head, ...Array.from({ length: 20 }, () => pad), Buffer.from('""]}')]
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  const body = ReadableStream.from(parts)
  expect((await send('POST', 'state', body, octets)).json).toEqual({ message: 'state saved successfully', version: 1 })
  const served = await send('GET', 'state')
  expect(sha256(served.body)).toBe(hash.digest('hex'))
})

it('refuses a state of another lineage, a wrong checksum, a torn one and one of a stranger', async () => {
  await using server = await attemptServer()
  const caller = await server.task.offer('apply')
  const send = server.as(caller)
  const foreign = stateText(1).replace(workspaceLineage, 'foreign')
  const conflict = await send('POST', 'state', foreign, octets)
  expect(codeOf(conflict)).toEqual([409, 'state_conflict'])
  expect(conflict.json).toMatchObject({ error: { details: { expected: workspaceLineage, found: 'foreign' } } })
  const wrong = { ...octets, 'x-content-sha256': sha256('x') }
  expect(codeOf(await send('POST', 'state', stateText(1), wrong))).toEqual([422, 'checksum_mismatch'])
  expect(codeOf(await send('POST', 'state', stateText(1).slice(0, -1), octets))).toEqual([400, 'invalid_request'])
  expect(codeOf(await send('POST', 'state', '', octets))).toEqual([400, 'invalid_request'])
  expect(codeOf(await send('POST', 'state', '{"size":1}', json))).toEqual([400, 'invalid_request'])
  const stranger = server.as({ ...caller, agentId: 'agent-seed' })
  expect(codeOf(await stranger('POST', 'state', stateText(1), octets))).toEqual([403, 'forbidden'])
  expect(codeOf(await send('GET', 'state'))).toEqual([404, 'not_found'])
})

it('keeps what a stale writer sends as a rescued version, and lets it read no state', async () => {
  await using server = await attemptServer()
  const stale = await server.attempt('apply')
  const fresh = await server.attempt('apply')
  await fresh('POST', 'state', stateText(1), octets)
  const late = await stale('POST', 'state', stateText(9), octets)
  expect([late.status, late.json]).toEqual([
    200,
    { message: 'state saved successfully', version: 2, late: true, rescued: true },
  ])
  expect(codeOf(await stale('GET', 'state'))).toEqual([409, 'stale_lease'])
  expect((await fresh('GET', 'state')).body.toString()).toBe(stateText(1))
})
