import { limits, type Phase } from '@iac-agent/protocol'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { appendLive } from '../../src/domain/logs/save-chunk.js'
import { outputText, readOutputTail } from '../../src/store/log-rows.js'
import { streamOf } from './log-stream.js'
import { readLog } from './read-log.js'
import { type RunningTask, runningTask } from './running-task.js'

async function tailOf(task: RunningTask, phase: Phase) {
  const tail = await task.deps.store.read((reader) => readOutputTail(reader.hot, task.taskId, phase))
  return tail && outputText(tail)
}

it('appends chunks at their offsets and keeps them beside the task', async () => {
  await using task = await runningTask()
  const stream = streamOf(task, await task.offer('plan'))
  expect(await stream.save(0, 'Plan: ')).toEqual({ status: 'ok', next_offset: 6, saved_bytes: 6 })
  expect(await stream.save(6, '3 to add')).toEqual({ status: 'ok', next_offset: 14, saved_bytes: 8 })
  expect(await stream.next()).toEqual({ next_offset: 14 })
  expect(await tailOf(task, 'plan')).toEqual({ text: 'Plan: 3 to add', truncated: false })
  expect(await readLog(task.deps, { taskId: task.taskId, offset: 6 })).toMatchObject({
    bytes: Buffer.from('3 to add'),
    nextOffset: 14,
    state: 'uploading',
  })
})

it('takes a chunk sent again, and one that overlaps, without storing bytes twice', async () => {
  await using task = await runningTask()
  const stream = streamOf(task, await task.offer('plan'))
  await stream.save(0, 'hello')
  expect(await stream.save(0, 'hello')).toMatchObject({ next_offset: 5, saved_bytes: 0 })
  expect(await stream.save(3, 'lo world')).toMatchObject({ next_offset: 11, saved_bytes: 6 })
  expect((await readLog(task.deps, { taskId: task.taskId })).bytes.toString()).toBe('hello world')
})

it('answers a gap with the offset to go on from', async () => {
  await using task = await runningTask()
  const stream = streamOf(task, await task.offer('plan'))
  await stream.save(0, 'hello')
  await expect(stream.save(6, 'x')).rejects.toMatchObject({ code: 'offset_gap', details: { next_offset: 5 } })
})

it('refuses bytes that differ from those stored', async () => {
  await using task = await runningTask()
  const stream = streamOf(task, await task.offer('plan'))
  await stream.save(0, 'hello')
  await expect(stream.save(3, 'LO world')).rejects.toMatchObject({ code: 'log_diverged', details: { next_offset: 5 } })
  expect((await readLog(task.deps, { taskId: task.taskId })).bytes.toString()).toBe('hello')
})

it('stores exactly the sent bytes, whatever is repeated, reordered or overlapping', async () => {
  await using task = await runningTask()
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ minLength: 1, maxLength: 200 }),
      fc.array(fc.tuple(fc.nat(), fc.nat()), { maxLength: 30 }),
      async (data, cuts) => {
        const whole = Buffer.from(data)
        const stream = streamOf(task, await task.offer('plan'))
        let length = 0
        for (const [from, size] of [...cuts, [0, whole.length]] as [number, number][]) {
          const offset = from % (whole.length + 1)
          const end = Math.min(whole.length, offset + (size % (whole.length + 1)))
          const saving = stream.save(offset, whole.subarray(offset, end))
          if (offset > length) {
            await expect(saving).rejects.toMatchObject({ code: 'offset_gap', details: { next_offset: length } })
            continue
          }
          const saved = Math.max(0, end - length)
          expect(await saving).toMatchObject({ next_offset: length + saved, saved_bytes: saved })
          length += saved
        }
        const stored = await readLog(task.deps, { taskId: task.taskId })
        expect(stored.bytes.equals(whole.subarray(0, length))).toBe(true)
      },
    ),
    { numRuns: 60 },
  )
})

it('keeps the last 64 KiB beside the task, cut at whole characters', async () => {
  await using task = await runningTask()
  const stream = streamOf(task, await task.offer('plan'))
  const text = '€'.repeat(40_000)
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length; at += 10_000) await stream.save(at, bytes.subarray(at, at + 10_000))
  const tail = await tailOf(task, 'plan')
  expect(tail?.truncated).toBe(true)
  expect(tail?.text).toMatch(/^€+$/)
  expect(Buffer.byteLength(tail?.text ?? '')).toBeGreaterThan(limits.outputTailBytes - 3)
})

it('keeps zero bytes and torn characters of a stream as they are', async () => {
  await using task = await runningTask()
  const stream = streamOf(task, await task.offer('plan'))
  const odd = Buffer.from([0, 0xff, 0x41, 0, 0xe2, 0x82])
  await stream.save(0, odd)
  await stream.save(6, Buffer.from([0xac]))
  expect((await readLog(task.deps, { taskId: task.taskId })).bytes).toEqual(Buffer.concat([odd, Buffer.from([0xac])]))
  expect((await tailOf(task, 'plan'))?.text.endsWith('€')).toBe(true)
})

it('proves a sealed log complete, and takes the same seal again', async () => {
  await using task = await runningTask()
  const stream = streamOf(task, await task.offer('plan'))
  const whole = Buffer.alloc(2_500_000, 'log line\n')
  for (let at = 0; at < whole.length; at += 1_000_000) await stream.save(at, whole.subarray(at, at + 1_000_000))
  expect(await stream.seal(whole)).toEqual({ status: 'complete' })
  expect(await stream.seal(whole)).toEqual({ status: 'complete' })
  expect((await readLog(task.deps, { taskId: task.taskId, offset: whole.length })).state).toBe('complete')
})

it('refuses a seal with bytes missing, with other bytes, and bytes after it', async () => {
  await using task = await runningTask()
  const stream = streamOf(task, await task.offer('plan'))
  await stream.save(0, 'hello')
  await expect(stream.seal('hello world')).rejects.toMatchObject({ code: 'offset_gap', details: { next_offset: 5 } })
  await expect(stream.seal('hell')).rejects.toMatchObject({ code: 'log_diverged' })
  await expect(stream.seal('jello')).rejects.toMatchObject({ code: 'log_diverged' })
  await stream.seal('hello')
  await expect(stream.save(5, '!')).rejects.toMatchObject({ code: 'log_diverged' })
  expect(await stream.save(0, 'hello')).toMatchObject({ next_offset: 5, saved_bytes: 0 })
})

it('seals a log without any output', async () => {
  await using task = await runningTask()
  const stream = streamOf(task, await task.offer('plan'))
  expect(await stream.seal('')).toEqual({ status: 'complete' })
})

it('stores late bytes in the stream of their own attempt, and shows the newest', async () => {
  await using task = await runningTask()
  const first = streamOf(task, await task.offer('plan'))
  await first.save(0, 'first ')
  await task.end()
  const second = streamOf(task, await task.offer('plan'))
  await second.save(0, 'second')
  expect(await first.save(6, 'late')).toEqual({ status: 'ok', next_offset: 10, saved_bytes: 4, late: true })
  expect(await first.seal('first late')).toEqual({ status: 'complete', late: true })
  expect(await tailOf(task, 'plan')).toEqual({ text: 'second', truncated: false })
  const read = (attempt?: number) => readLog(task.deps, { taskId: task.taskId, phase: 'plan', attempt })
  expect((await read()).bytes.toString()).toBe('second')
  expect((await read(1)).bytes.toString()).toBe('first late')
})

it('shows a log whose attempt ended unsealed as a gap, and a seed-only one as unsealed', async () => {
  await using task = await runningTask()
  await streamOf(task, await task.offer('plan')).save(0, 'x')
  await task.end()
  const state = async () => (await readLog(task.deps, { taskId: task.taskId, phase: 'plan' })).state
  expect(await state()).toBe('gap')
  await streamOf(task, await task.offer('plan', { seedOnly: true })).save(0, 'y')
  await task.end()
  expect(await state()).toBe('unsealed')
})

it('refuses the other phase of an attempt, an unknown task and attempt', async () => {
  await using task = await runningTask()
  const caller = await task.offer('plan')
  await expect(streamOf(task, caller, 'apply').save(0, 'x')).rejects.toMatchObject({ code: 'invalid_request' })
  await expect(readLog(task.deps, { taskId: 999 })).rejects.toMatchObject({ code: 'not_found' })
  await expect(readLog(task.deps, { taskId: task.taskId, attempt: 7 })).rejects.toMatchObject({ code: 'not_found' })
  await expect(readLog(task.deps, { taskId: task.taskId, offset: 9 })).resolves.toMatchObject({ nextOffset: 9 })
})

it('takes live frames by the same rule, and says where to go on after one it cannot use', async () => {
  await using task = await runningTask()
  const stream = streamOf(task, await task.offer('plan'))
  const live = (offset: number, text: string) =>
    appendLive(task.deps, {
      agentId: 'agent-new',
      taskId: task.taskId,
      attempt: 1,
      phase: 'plan',
      offset,
      bytes: Buffer.from(text),
    })
  expect(await live(0, 'abc')).toEqual({ nextOffset: 3 })
  expect(await stream.save(3, 'def')).toMatchObject({ next_offset: 6 })
  expect(await live(9, 'x')).toEqual({ nextOffset: 6 })
  expect(await live(4, 'efgh')).toEqual({ nextOffset: 8 })
  await task.end()
  expect(await live(8, 'i')).toEqual({ stale: true })
})
