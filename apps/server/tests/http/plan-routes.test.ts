import { createHash, randomBytes } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { expect, it } from 'vitest'
import { openPlanJson } from '../../src/domain/plans/plan-json.js'
import { resourceChanges } from '../../src/domain/plans/resource-changes.js'
import { BlobWriter, keepBlob, receiveBlob } from '../../src/store/blobs.js'
import { sealText } from '../../src/store/secret-box.js'
import { type Answer, type AttemptServer, attemptServer } from './attempt-server.js'

const sha256 = (bytes: string | Buffer) => createHash('sha256').update(bytes).digest('hex')
const archive = { 'content-type': 'application/gzip' }
const json = { 'content-type': 'application/json' }
const codeOf = ({ status, json: body }: Answer) => [status, (body as { error?: { code: string } }).error?.code]
const changesOf = ({ task }: AttemptServer) => resourceChanges(task.deps, task.taskId)
const planned = (name: string, actions: string[]) => ({
  address: `terraform_data.${name}`,
  mode: 'managed',
  type: 'terraform_data',
  name,
  change: { actions },
})

it('hands the apply exactly the archive that was planned', async () => {
  await using server = await attemptServer()
  const planner = await server.attempt('plan')
  const bytes = randomBytes(3_000_000)
  const saved = await planner('PUT', 'plan', bytes, { ...archive, 'x-content-sha256': sha256(bytes) })
  expect([saved.status, saved.json]).toEqual([200, { sha256: sha256(bytes), size: bytes.length }])
  expect((await planner('GET', 'plan')).body.equals(bytes)).toBe(true)
  await server.task.end()
  const applier = await server.attempt('apply')
  expect(codeOf(await planner('GET', 'plan'))).toEqual([409, 'stale_lease'])
  const served = await applier('GET', 'plan')
  expect(served.body.equals(bytes)).toBe(true)
  expect(served.headers.get('x-content-sha256')).toBe(sha256(bytes))
})

it('keeps the archive of an attempt that is over, whatever comes later', async () => {
  await using server = await attemptServer()
  const send = await server.attempt('plan')
  await send('PUT', 'plan', 'first', archive)
  expect((await send('PUT', 'plan', 'second', archive)).status).toBe(200)
  await server.task.end()
  expect((await send('PUT', 'plan', 'second', archive)).json).toMatchObject({ sha256: sha256('second'), late: true })
  expect(codeOf(await send('PUT', 'plan', 'third', archive))).toEqual([409, 'conflict'])
})

it('refuses a plan with another checksum, from an apply, and the reading of one that is not there', async () => {
  await using server = await attemptServer()
  const planner = await server.attempt('plan')
  const wrong = { ...archive, 'x-content-sha256': sha256('other') }
  expect(codeOf(await planner('PUT', 'plan', 'bytes', wrong))).toEqual([422, 'checksum_mismatch'])
  expect(codeOf(await planner('GET', 'plan'))).toEqual([404, 'not_found'])
  const applier = await server.attempt('apply')
  expect(codeOf(await applier('PUT', 'plan', 'bytes', archive))).toEqual([400, 'invalid_request'])
})

it('derives resource changes from the plan as JSON and keeps it as it came', async () => {
  await using server = await attemptServer()
  const send = await server.attempt('plan')
  const plan = { format_version: '1.2', resource_changes: [planned('a', ['create']), planned('b', ['no-op'])] }
  const text = JSON.stringify(plan, null, 1).replace('"1.2"', '"1.2", "big": 12345678901234567890')
  const saved = await send('PUT', 'plan-json', gzipSync(text), { ...json, 'content-encoding': 'gzip' })
  expect([saved.status, saved.json]).toEqual([200, { resource_changes: 1 }])
  expect(await changesOf(server)).toEqual({
    items: [{ address: 'terraform_data.a', resource_type: 'terraform_data', actions: ['create'], progress: null }],
  })
  const stored = await openPlanJson(server.task.deps, server.task.taskId)
  const parts: Buffer[] = []
  for await (const part of stored.bytes) parts.push(part)
  expect(Buffer.concat(parts).toString()).toBe(text)
  expect(codeOf(await send('PUT', 'plan-json', '{"format_version"', json))).toEqual([400, 'invalid_request'])
})

it('shows how far each resource is, and never goes back from done to running', async () => {
  await using server = await attemptServer()
  const planner = await server.attempt('plan')
  const changes = [planned('a', ['delete', 'create']), planned('b', ['update'])]
  await planner('PUT', 'plan-json', JSON.stringify({ format_version: '1.2', resource_changes: changes }), json)
  const applier = await server.attempt('apply')
  const report = (fields: object) => ({
    address: 'terraform_data.a',
    action: 'create',
    started_at: '2026-01-01T00:00:02Z',
    ...fields,
  })
  const running = report({ status: 'running' })
  const done = report({ status: 'complete', id: 'id-1', finished_at: '2026-01-01T00:00:03Z' })
  const deleted = report({ action: 'delete', status: 'complete', started_at: '2026-01-01T00:00:01Z' })
  const extra = {
    address: 'module.m["x.y"].terraform_data.c[0]',
    action: 'create',
    status: 'errored',
    error: 'no quota',
  }
  const post = (...resources: object[]) => applier('POST', 'resources', JSON.stringify({ resources }), json)
  expect((await post(running, deleted)).json).toEqual({ saved: 2 })
  await post(done, extra)
  await post(running)
  expect(await changesOf(server)).toMatchObject({
    items: [
      {
        address: 'terraform_data.a',
        actions: ['delete', 'create'],
        progress: { action: 'create', status: 'complete', id: 'id-1' },
      },
      { address: 'terraform_data.b', progress: null },
      { address: extra.address, resource_type: 'terraform_data', progress: { status: 'errored', error: 'no quota' } },
    ],
  })
})

it('stores progress and plans of a stale attempt as late', async () => {
  await using server = await attemptServer()
  const stale = await server.attempt('plan')
  await server.attempt('plan')
  expect((await stale('PUT', 'plan', 'bytes', archive)).json).toMatchObject({ late: true })
  expect((await stale('PUT', 'plan-json', '{"format_version":"1.2"}', json)).json).toEqual({
    resource_changes: 0,
    late: true,
  })
  const report = { address: 'terraform_data.a', action: 'read', status: 'complete' }
  expect((await stale('POST', 'resources', JSON.stringify({ resources: [report] }), json)).json).toEqual({
    saved: 1,
    late: true,
  })
})

it('serves the configuration the task was made with', async () => {
  await using server = await attemptServer()
  const { store, clock } = server.task.deps
  const send = await server.attempt('plan')
  const bytes = randomBytes(1_500_000)
  const draft = await receiveBlob(new BlobWriter(store, () => clock.now()), streamOf(bytes))
  const workspace = {
    workspace_id: 'ws-test',
    name: 'test',
    terraform_version: null,
    engine: 'terraform',
    execution_mode: 'remote',
    provider_config: null,
    tf_code: null,
    system_variables: {},
    working_directory: null,
    auto_apply: false,
    accept_empty_state: false,
  }
  const snapshot = (configuration: object | null) =>
    sealText(JSON.stringify({ workspace, resources: [], variables: [], configuration }))
  await store.transaction('create_token', async (tx) => {
    await keepBlob(tx, draft, clock.now())
    const document = snapshot({ id: 'cfg-1', sha256: draft.sha256, size: bytes.length })
    await tx.db.insertInto('task_snapshots').values({ task_id: server.task.taskId, document }).execute()
  })
  const served = await send('GET', 'configuration')
  expect(served.body.equals(bytes)).toBe(true)
  expect(served.headers.get('content-type')).toBe('application/gzip')
  await store.transaction('create_token', (tx) =>
    tx.db
      .updateTable('task_snapshots')
      .set({ document: snapshot(null) })
      .execute(),
  )
  expect(codeOf(await send('GET', 'configuration'))).toEqual([404, 'not_found'])
})

async function* streamOf(bytes: Buffer) {
  yield bytes
}
