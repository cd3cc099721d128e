import { expect, it } from 'vitest'
import { LogHashes } from '../../src/domain/logs/log-hashes.js'
import { saveChunk } from '../../src/domain/logs/save-chunk.js'
import { sealLog } from '../../src/domain/logs/seal.js'
import { readStreamBytes } from '../../src/store/log-rows.js'
import { sha256, streamOf } from './log-stream.js'
import { readLog } from './read-log.js'
import { type RunningTask, runningTask } from './running-task.js'

/** What the task's own row keeps of its plan output. */
async function keptOf(task: RunningTask) {
  const sql = 'SELECT plan_output AS output, plan_output_bytes AS total FROM workspace_tasks'
  return await task.deps.store.read(async ({ hot }) => hot.one<{ output: Buffer | null; total: number }>(sql))
}

it('reads any part of a log whose chunks came packed, and overlapped', async () => {
  await using task = await runningTask()
  const stream = streamOf(task, await task.offer('plan'))
  const lines = Array.from({ length: 3000 }, (_, line) => `line ${line} €\n`)
  const whole = Buffer.from(lines.join('')).subarray(0, 36_000)
  for (let at = 0; at < whole.length; at += 9000) {
    await stream.savePacked(at, whole.subarray(at, at + 7000))
    await stream.save(at, whole.subarray(at, at + 8000))
    await stream.savePacked(at + 7500, whole.subarray(at + 7500, at + 9000))
  }
  const packed = await task.deps.store.read(async ({ hot }) => hot.all('SELECT 1 FROM task_logs WHERE is_packed = 1'))
  expect(packed.length).toBeGreaterThan(3)
  for (const [from, to] of [
    [0, whole.length],
    [0, 1],
    [6999, 7001],
    [8999, 27_001],
    [whole.length - 1, whole.length + 9],
  ]) {
    const read = task.deps.store.read(({ hot }) => readStreamBytes(hot, 1, from ?? 0, to ?? 0))
    expect(await read).toEqual(whole.subarray(from, to))
  }
  expect((await readLog(task.deps, { taskId: task.taskId, offset: 7100 })).bytes).toEqual(whole.subarray(7100))
  expect(await stream.seal(whole)).toEqual({ status: 'complete' })
})

it('keeps the end of the output on the row of the task when the log is sealed, and of an agent that never seals at once', async () => {
  await using task = await runningTask()
  const stream = streamOf(task, await task.offer('plan'))
  await stream.save(0, 'hello')
  expect(await keptOf(task)).toEqual({ output: null, total: 0 })
  await stream.seal('hello')
  expect(await keptOf(task)).toEqual({ output: Buffer.from('hello'), total: 5 })
  await task.end()
  const seedOnly = streamOf(task, await task.offer('plan', { seedOnly: true }))
  await seedOnly.save(0, 'seed')
  expect(await keptOf(task)).toEqual({ output: Buffer.from('seed'), total: 4 })
})

it('proves a log by what it saw stored, and by reading again what an earlier process stored', async () => {
  await using task = await runningTask()
  const caller = await task.offer('plan')
  const target = { caller, taskId: task.taskId, phase: 'plan' as const }
  const first = { ...task.deps, hashes: new LogHashes() }
  for (const [offset, text] of [
    [0, 'hel'],
    [0, 'hello'],
    [3, 'lo wor'],
  ] as const)
    await saveChunk(first, { ...target, offset, bytes: Buffer.from(text) })
  expect(first.hashes.of(1, 9)).toBe(sha256('hello wor'))
  const second = { ...task.deps, hashes: new LogHashes() }
  await saveChunk(second, { ...target, offset: 9, bytes: Buffer.from('ld') })
  expect(second.hashes.of(1, 11)).toBeUndefined()
  const seal = (deps: typeof first, text: string) => sealLog(deps, { ...target, totalBytes: 11, sha256: sha256(text) })
  await expect(seal(second, 'jello world')).rejects.toMatchObject({ code: 'log_diverged' })
  expect(await seal(second, 'hello world')).toEqual({ status: 'complete' })
})
