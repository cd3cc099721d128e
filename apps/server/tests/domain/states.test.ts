import { Readable } from 'node:stream'
import { expect, it } from 'vitest'
import { importState } from '../../src/domain/states/import-state.js'
import { openTaskState } from '../../src/domain/states/open-task-state.js'
import { receiveRawState } from '../../src/domain/states/receive-state.js'
import { stateOutputs } from '../../src/domain/states/state-outputs.js'
import { currentStateContent, listStates, stateVersionContent } from '../../src/domain/states/state-view.js'
import { runningTask, workspaceId, workspaceLineage } from './running-task.js'
import { blobCount, bringIn, bytesOf, currentBytes, post, postWrapped, sha256, stateText } from './state-posting.js'

it('stores and serves a state byte by byte, large numbers and odd spacing included', async () => {
  await using task = await runningTask()
  const caller = await task.offer('apply')
  const text = stateText(1, ', "big" : 12345678901234567890 ,\t"exp": 1E400, "zero": -0.0')
  expect(await post(task, caller, text, sha256(text))).toEqual({ message: 'state saved successfully', version: 1 })
  expect((await currentBytes(task)).toString()).toBe(text)
  const served = await openTaskState(task.deps, { caller, taskId: task.taskId })
  expect(served).toMatchObject({ version: 1, sha256: sha256(text) })
  expect((await bytesOf(served)).toString()).toBe(text)
})

it('takes the same serial and bytes again as the same version', async () => {
  await using task = await runningTask()
  const caller = await task.offer('apply')
  await post(task, caller, stateText(1))
  expect(await post(task, caller, stateText(1))).toMatchObject({ version: 1 })
  expect(await post(task, caller, stateText(2))).toMatchObject({ version: 2 })
  expect(await post(task, caller, stateText(1))).toEqual({ message: 'state saved successfully', version: 1 })
  expect((await currentBytes(task)).toString()).toBe(stateText(2))
})

it('lets the later state of one serial win and keeps both', async () => {
  await using task = await runningTask()
  const caller = await task.offer('apply')
  await post(task, caller, stateText(1))
  expect(await post(task, caller, stateText(1, ', "later": true'))).toMatchObject({ version: 2 })
  const { items } = await listStates(task.deps, { workspaceId, limit: 10 })
  expect(items.map(({ version, current, rescued }) => [version, current, rescued])).toEqual([
    [2, true, false],
    [1, false, false],
  ])
})

it('finds serial and lineage behind megabytes, as programs that sort keys write them', async () => {
  await using task = await runningTask()
  const caller = await task.offer('apply', { seedOnly: true })
  const sorted = (serial: number, lineage = workspaceLineage) =>
    JSON.stringify({
      lineage,
      outputs: {},
      resources: [{ serial: 99, pad: 'x'.repeat(2_000_000) }],
      serial,
      version: 4,
    })
  const content = (serial: number) => `{"content":${sorted(serial)}}`
  expect(await postWrapped(task, caller, content(5))).toMatchObject({ version: 1 })
  expect(await postWrapped(task, caller, content(4))).toMatchObject({ version: 2, rescued: true })
  expect((await currentBytes(task)).toString()).toBe(sorted(5))
  const foreign = sorted(6).replace(/^\{"lineage":"[^"]*",(.*)\}$/s, '{$1,"lineage":"foreign"}')
  await expect(post(task, caller, foreign)).rejects.toMatchObject({ code: 'state_conflict' })
})

it('rescues an older serial: visible, never current', async () => {
  await using task = await runningTask()
  const caller = await task.offer('apply')
  await post(task, caller, stateText(5))
  expect(await post(task, caller, stateText(4))).toEqual({
    message: 'state saved successfully',
    version: 2,
    rescued: true,
  })
  expect((await currentBytes(task)).toString()).toBe(stateText(5))
  const [rescued] = (await listStates(task.deps, { workspaceId, limit: 1 })).items
  expect(rescued).toMatchObject({ version: 2, serial: 4, rescued: true, current: false })
  expect((await bytesOf(await stateVersionContent(task.deps, rescued?.id ?? ''))).toString()).toBe(stateText(4))
})

it('stores what a stale writer sends as late and rescued, and moves nothing', async () => {
  await using task = await runningTask()
  const stale = await task.offer('apply')
  await post(task, stale, stateText(1))
  const fresh = await task.offer('apply')
  expect(await post(task, stale, stateText(9))).toEqual({
    message: 'state saved successfully',
    version: 2,
    late: true,
    rescued: true,
  })
  expect((await currentBytes(task)).toString()).toBe(stateText(1))
  expect(await post(task, fresh, stateText(2))).toEqual({ message: 'state saved successfully', version: 3 })
})

it('makes a state that was only rescued current when it comes from the current attempt', async () => {
  await using task = await runningTask()
  const stale = await task.offer('apply')
  const fresh = await task.offer('apply')
  expect(await post(task, stale, stateText(9))).toMatchObject({ version: 1, rescued: true })
  const saved = { message: 'state saved successfully', version: 2 }
  expect(await post(task, fresh, stateText(9))).toEqual(saved)
  expect(await post(task, fresh, stateText(9))).toEqual(saved)
  expect((await currentBytes(task)).toString()).toBe(stateText(9))
})

it('refuses another lineage with both named, and throws its bytes away', async () => {
  await using task = await runningTask()
  const caller = await task.offer('apply')
  const large = stateText(1, `, "pad": "${'x'.repeat(3_000_000)}"`, 'another')
  await expect(post(task, caller, large)).rejects.toMatchObject({
    code: 'state_conflict',
    details: { expected: workspaceLineage, found: 'another' },
  })
  expect(await blobCount(task)).toEqual({ blobs: 0, parts: 0, uploads: 0 })
})

it('refuses bytes with another checksum, and what is no whole object, storing nothing', async () => {
  await using task = await runningTask()
  const caller = await task.offer('apply')
  await expect(post(task, caller, stateText(1), sha256('other'))).rejects.toMatchObject({ code: 'checksum_mismatch' })
  for (const text of ['', '{"version": 4, "serial": 1', '[]', '{foo}', '{"version":4,"serial":12345678901234567890}']) {
    await expect(post(task, caller, text), text).rejects.toMatchObject({ code: 'invalid_request' })
  }
  await expect(currentStateContent(task.deps, workspaceId)).rejects.toMatchObject({ code: 'not_found' })
})

it('refuses a serial that is no whole number: it must not count as a state without one', async () => {
  await using task = await runningTask()
  for (const serial of ['"9"', '-1', '1.5', 'true', '12345678901234567890']) {
    const text = `{"version":4,"serial":${serial},"lineage":"${workspaceLineage}"}`
    await expect(bringIn(task, text), serial).rejects.toMatchObject({ message: 'serial must be a whole number' })
  }
})

it('takes content of a seed body as its raw slice, never re-serialised', async () => {
  await using task = await runningTask()
  const caller = await task.offer('apply')
  const slice = stateText(1, ', "big": 12345678901234567890').trim()
  await postWrapped(
    task,
    caller,
    `{ "size": 1, "content" : ${slice} , "checksum": "sha256:${sha256(slice).toUpperCase()}"}`,
  )
  expect((await currentBytes(task)).toString()).toBe(slice)
})

it('takes the checksum of an object without its white space', async () => {
  await using task = await runningTask()
  const caller = await task.offer('apply')
  const compact = JSON.stringify(JSON.parse(stateText(1, ', "text": "a b\\n c"')))
  const spaced = stateText(1, ', "text": "a b\\n c"').trim()
  await postWrapped(task, caller, `{"content":${spaced},"checksum":"${sha256(compact)}"}`)
  const [version] = (await listStates(task.deps, { workspaceId, limit: 1 })).items
  expect(version).toMatchObject({ checksum_unverified: false, checksum: sha256(spaced) })
})

it('marks an object whose checksum fits neither form, refuses a string like that', async () => {
  await using task = await runningTask()
  const caller = await task.offer('apply')
  const content = stateText(1).trim()
  await postWrapped(task, caller, `{"content":${content},"checksum":"abc123..."}`)
  expect((await listStates(task.deps, { workspaceId, limit: 1 })).items[0]).toMatchObject({ checksum_unverified: true })
  const asString = JSON.stringify({ content: stateText(2), checksum: sha256('other') })
  await expect(postWrapped(task, caller, asString)).rejects.toMatchObject({ code: 'checksum_mismatch' })
})

it("takes a string's value as the state's bytes", async () => {
  await using task = await runningTask()
  const caller = await task.offer('apply')
  const text = stateText(1, ', "name": "größe"')
  await postWrapped(task, caller, JSON.stringify({ content: text, checksum: sha256(text) }))
  expect((await currentBytes(task)).toString()).toBe(text)
})

it('lets a seed-only agent send the same twice, then another, without serial or lineage', async () => {
  await using task = await runningTask()
  const caller = await task.offer('apply', { seedOnly: true })
  expect(
    await postWrapped(task, caller, '{"content":{"version":4,"resources":[]},"checksum":"","size":31}'),
  ).toMatchObject({ version: 1 })
  expect(await postWrapped(task, caller, '{"content":{"version":4,"resources":[]},"size":31}')).toMatchObject({
    version: 1,
  })
  expect(await postWrapped(task, caller, '{"content":{"version":4,"resources":[1]}}')).toEqual({
    message: 'state saved successfully',
    version: 2,
  })
  expect((await currentBytes(task)).toString()).toBe('{"version":4,"resources":[1]}')
})

it('lets the first import set the lineage, and no second one', async () => {
  await using task = await runningTask()
  expect(await bringIn(task, stateText(7, '', 'brought'))).toMatchObject({
    version: 1,
    serial: 7,
    lineage: 'brought',
    created_by: 'ops',
  })
  expect(await bringIn(task, stateText(7, '', 'brought'))).toMatchObject({ version: 1 })
  await expect(bringIn(task, stateText(8))).rejects.toMatchObject({ code: 'state_conflict' })
  await expect(bringIn(task, stateText(7, ', "x": 1', 'brought'))).rejects.toMatchObject({
    code: 'state_conflict',
    details: { serial: 7, current_serial: 7 },
  })
  expect(await bringIn(task, stateText(8, '', 'brought'))).toMatchObject({ version: 2 })
})

it('refuses an import while an apply can still write, and an unknown workspace', async () => {
  await using task = await runningTask()
  await task.offer('apply')
  await expect(bringIn(task, stateText(1))).rejects.toMatchObject({
    code: 'workspace_locked',
    details: { task_id: task.taskId },
  })
  await task.end()
  await bringIn(task, stateText(1))
  const draft = await receiveRawState(task.deps, Readable.from([Buffer.from(stateText(1))]), undefined)
  const elsewhere = importState(task.deps, { workspaceId: 'ws-none', by: 'ops', draft })
  await expect(elsewhere).rejects.toMatchObject({ code: 'not_found' })
})

it('shows outputs with their numbers as written, and sensitive ones as null', async () => {
  await using task = await runningTask()
  const outputs =
    '{"n":{"value":12345678901234567890,"type":"number"},"s":{"value":"hidden","type":"string","sensitive":true}}'
  await bringIn(task, `{"version":4,"serial":1,"lineage":"${workspaceLineage}","outputs":${outputs},"resources":[]}`)
  expect((await stateOutputs(task.deps, workspaceId)).toString()).toBe(
    '{"outputs":{"n":{"value":12345678901234567890,"type":"number","sensitive":false},"s":{"value":null,"type":"string","sensitive":true}}}',
  )
})

it('shows no outputs while there is no state', async () => {
  await using task = await runningTask()
  expect((await stateOutputs(task.deps, workspaceId)).toString()).toBe('{"outputs":{}}')
})

it('pages through versions, newest first', async () => {
  await using task = await runningTask()
  const caller = await task.offer('apply')
  for (let serial = 1; serial <= 5; serial++) await post(task, caller, stateText(serial))
  const first = await listStates(task.deps, { workspaceId, limit: 2 })
  expect(first.items.map((item) => item.version)).toEqual([5, 4])
  const last = await listStates(task.deps, { workspaceId, limit: 3, cursor: first.next_cursor ?? '' })
  expect(last).toMatchObject({ items: [{ version: 3 }, { version: 2 }, { version: 1 }], next_cursor: null })
  await expect(listStates(task.deps, { workspaceId, limit: 2, cursor: 'x' })).rejects.toMatchObject({
    code: 'invalid_request',
  })
})
