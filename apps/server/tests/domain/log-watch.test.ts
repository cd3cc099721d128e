import { createHash } from 'node:crypto'
import { expect, it } from 'vitest'
import type { AgentCaller } from '../../src/domain/attempts/agent-caller.js'
import { type LogEnd, LogWatch } from '../../src/domain/logs/log-watch.js'
import type { LogPiece } from '../../src/domain/logs/read-log.js'
import { saveChunk } from '../../src/domain/logs/save-chunk.js'
import { sealLog } from '../../src/domain/logs/seal.js'
import { type RunningTask, runningTask } from './running-task.js'

const never = new AbortController().signal

/** Everything a viewer sees, and how it ends. */
async function viewAll(viewer: AsyncGenerator<LogPiece, LogEnd | undefined>) {
  const pieces: LogPiece[] = []
  for (;;) {
    const next = await viewer.next()
    if (next.done)
      return { pieces, text: Buffer.concat(pieces.map((piece) => piece.bytes)).toString(), end: next.value }
    pieces.push(next.value)
  }
}

const save = (task: RunningTask, caller: AgentCaller, offset: number, bytes: Buffer) =>
  saveChunk(task.deps, { caller, taskId: task.taskId, phase: 'plan', offset, bytes })
const seal = (task: RunningTask, caller: AgentCaller, whole: Buffer) =>
  sealLog(task.deps, {
    caller,
    taskId: task.taskId,
    phase: 'plan',
    totalBytes: whole.length,
    sha256: createHash('sha256').update(whole).digest('hex'),
  })

it('shows every viewer the same bytes as they are committed, and the end', async () => {
  await using task = await runningTask()
  using watch = new LogWatch(task.deps.store)
  const caller = await task.offer('plan')
  const early = [1, 2, 3].map(() => viewAll(watch.watch({ taskId: task.taskId }, never)))
  const whole = Buffer.from('Terraform wird ausgeführt … 100 %\n'.repeat(20))
  for (let at = 0; at < whole.length; at += 7) await save(task, caller, at, whole.subarray(at, at + 7))
  const late = viewAll(watch.watch({ taskId: task.taskId, offset: 100 }, never))
  await seal(task, caller, whole)
  for (const viewer of await Promise.all(early)) {
    expect(viewer.text).toBe(whole.toString())
    expect(viewer.end).toEqual({ attempt: 1, phase: 'plan', nextOffset: whole.length, state: 'complete' })
    expect(viewer.pieces.every(({ bytes }) => !bytes.toString().includes('\ufffd'))).toBe(true)
  }
  expect((await late).text).toBe(whole.subarray(100).toString())
})

it('waits for an attempt that has not begun', async () => {
  await using task = await runningTask()
  using watch = new LogWatch(task.deps.store)
  const viewer = watch.watch({ taskId: task.taskId }, never)
  const first = viewer.next()
  const caller = await task.offer('plan')
  await save(task, caller, 0, Buffer.from('begun'))
  expect(((await first).value as LogPiece).bytes.toString()).toBe('begun')
  await viewer.return(undefined)
})

it('ends with what is there when the attempt ends unsealed', async () => {
  await using task = await runningTask()
  using watch = new LogWatch(task.deps.store)
  const caller = await task.offer('plan')
  const viewer = viewAll(watch.watch({ taskId: task.taskId, phase: 'plan' }, never))
  await save(task, caller, 0, Buffer.from([0x61, 0xe2, 0x82]))
  await task.end()
  const { pieces, end } = await viewer
  expect(Buffer.concat(pieces.map((piece) => piece.bytes))).toEqual(Buffer.from([0x61, 0xe2, 0x82]))
  expect(end).toMatchObject({ state: 'gap', nextOffset: 3 })
})

it('ends at once for a log that is complete', async () => {
  await using task = await runningTask()
  using watch = new LogWatch(task.deps.store)
  const caller = await task.offer('plan')
  await save(task, caller, 0, Buffer.from('done'))
  await seal(task, caller, Buffer.from('done'))
  expect(await viewAll(watch.watch({ taskId: task.taskId }, never))).toMatchObject({
    text: 'done',
    end: { state: 'complete' },
  })
  expect(await viewAll(watch.watch({ taskId: task.taskId, offset: 4 }, never))).toMatchObject({
    text: '',
    end: { nextOffset: 4 },
  })
})

it('stops on abort, and tells when the first viewer comes and the last goes', async () => {
  await using task = await runningTask()
  using watch = new LogWatch(task.deps.store)
  const heard: [number, boolean][] = []
  watch.onWatched((taskId, isWatched) => heard.push([taskId, isWatched]))
  const abort = new AbortController()
  const viewers = [1, 2].map(() => viewAll(watch.watch({ taskId: task.taskId }, abort.signal)))
  expect(watch.isWatched(task.taskId)).toBe(true)
  abort.abort()
  for (const viewer of await Promise.all(viewers)) expect(viewer.end).toBeUndefined()
  expect(heard).toEqual([
    [task.taskId, true],
    [task.taskId, false],
  ])
  expect(watch.isWatched(task.taskId)).toBe(false)
})

it('does not let a slow viewer hold more than a piece', async () => {
  await using task = await runningTask()
  using watch = new LogWatch(task.deps.store)
  const caller = await task.offer('plan')
  const viewer = watch.watch({ taskId: task.taskId }, never)
  const megabyte = Buffer.alloc(1024 * 1024, 'x')
  await save(task, caller, 0, megabyte)
  const first = (await viewer.next()).value as LogPiece
  for (let at = 1; at < 4; at++) await save(task, caller, at * megabyte.length, megabyte)
  await seal(task, caller, Buffer.alloc(4 * megabyte.length, 'x'))
  const { pieces, end } = await viewAll(viewer)
  expect(Math.max(first.bytes.length, ...pieces.map((piece) => piece.bytes.length))).toBeLessThanOrEqual(
    megabyte.length + 64 * 1024,
  )
  expect(end?.nextOffset).toBe(4 * megabyte.length)
})

it('refuses to watch a task that does not exist', async () => {
  await using task = await runningTask()
  using watch = new LogWatch(task.deps.store)
  await expect(watch.watch({ taskId: 4711 }, never).next()).rejects.toMatchObject({ code: 'not_found' })
  expect(watch.isWatched(4711)).toBe(false)
})
