import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { eventually, fakeConfiguration } from '../src/index.js'
import { type FakeWorld, fakeWorld, kinds } from './_util/fake-world.js'

let world: FakeWorld
beforeAll(async () => {
  world = await fakeWorld()
})
beforeEach(() => world.reset())
afterAll(() => world[Symbol.asyncDispose]())

it('waits for a backend that is away, as long as it takes', async () => {
  await world.planned(fakeConfiguration({ resources: 2 }))
  await world.configure(fakeConfiguration({ lines: 2, linePauseMs: 200 }))
  const running = world.start(['apply', '-json', 'p'])
  await eventually('a state', () => world.backend.posts === 1)
  world.backend.isAway = true
  await eventually('two tries', () => world.backend.refusals >= 2)
  world.backend.isAway = false
  expect((await running).exitCode).toBe(0)
  expect(world.backend.posts).toBe(2)
})

it('keeps its state in a file when the backend is away for good', async () => {
  await world.planned(fakeConfiguration({ resources: 2 }))
  await world.configure(fakeConfiguration({ lines: 2, linePauseMs: 200 }))
  const running = world.start(['apply', '-json', 'p'], { env: { TF_HTTP_RETRY_MAX: '1' } })
  await eventually('a state', () => world.backend.posts === 1)
  world.backend.isAway = true
  const { exitCode, stdout } = await running
  expect(exitCode).toBe(1)
  expect(stdout).toContain('"summary":"Failed to save state"')
  expect(JSON.parse(await readFile(join(world.work, 'errored.tfstate'), 'utf8'))).toMatchObject({ serial: 2 })
})

it('says so when it cannot load the state', async () => {
  await world.configure(fakeConfiguration({}))
  world.backend.isAway = true
  const { exitCode, stdout } = await world.start(['plan'], { env: { TF_HTTP_RETRY_MAX: '0' } })
  expect(exitCode).toBe(1)
  expect(stdout).toMatch(/^Error: .* giving up after 1 attempt/m)
  expect((await world.oracle()).at(-1)).toMatchObject({ kind: 'end', code: 1 })
})

it('finishes what is in flight at the first interrupt, and saves it', async () => {
  await world.planned(fakeConfiguration({ resources: 3 }))
  await world.configure(fakeConfiguration({ lines: 3_000, linePauseMs: 100 }))
  const running = world.start(['apply', '-json', 'p'])
  await eventually('its lines', async () => (await world.oracle()).at(-1)?.kind === 'line')
  running.kill('SIGINT')
  const { exitCode, stdout } = await running
  expect([exitCode, world.backend.posts]).toEqual([1, 1])
  expect(stdout).toMatch(/Interrupt received[\s\S]*Creation complete[\s\S]*execution halted/)
  expect(JSON.parse(world.backend.state)).toMatchObject({ serial: 1 })
  expect(kinds(await world.oracle()).slice(-6)).toEqual(['line', 'posted', 'complete', 'line', 'line', 'end'])
})

it('ends at the second interrupt, whatever it waits for', async () => {
  await world.planned(fakeConfiguration({ resources: 1 }))
  world.backend.isAway = true
  const running = world.start(['apply', '-json', 'p'])
  await eventually('a try', () => world.backend.refusals > 0)
  running.kill('SIGINT')
  await eventually('its word', async () => kinds(await world.oracle()).includes('interrupt'))
  running.kill('SIGINT')
  const { exitCode, stdout } = await running
  expect([exitCode, world.backend.posts]).toEqual([1, 0])
  expect(stdout).toMatch(/Interrupt received[\s\S]*Two interrupts received/)
})

it.each([1, 7])('killed while it prints %i at a time, has told its oracle of one write more at most', async (batch) => {
  await world.configure(fakeConfiguration({ lines: 1_000_000, batch }))
  const output = join(world.work, 'output')
  const running = world.start(['plan'], { output })
  await eventually('lines', async () => (await readFile(output)).length > 10_000)
  running.kill('SIGKILL')
  await running
  const texts = (await world.oracle()).flatMap((one) => (one.kind === 'line' ? [one.text] : []))
  const printed = await readFile(output, 'utf8')
  expect(texts.join('').startsWith(printed)).toBe(true)
  expect(printed.length).toBeGreaterThanOrEqual(texts.slice(0, -1).join('').length)
  expect(texts[0]?.split('\n')).toHaveLength(batch + 1)
})

it('has told its oracle of a line before that gets out', async () => {
  await world.configure(fakeConfiguration({ lines: 1, lineBytes: 4_000_000 })) // more than a pipe takes while nobody reads
  const options = { cwd: world.work, env: { ...process.env, ...world.environment } }
  const running = spawn(world.program, ['plan'], { ...options, stdio: ['ignore', 'pipe', 'ignore'] })
  const told = await eventually('the record', async () =>
    (await world.oracle()).flatMap((one) => (one.kind === 'line' ? [one.text] : [])).at(0),
  )
  running.kill('SIGKILL')
  const printed = await text(running.stdout)
  expect(told.startsWith(printed)).toBe(true)
  expect(printed.length).toBeLessThan(told.length)
})

it('goes on when the disk under its output is full, and says what is lost', async () => {
  await world.configure(fakeConfiguration({ lines: 3, resources: 0, lineBytes: 100 }))
  const { exitCode } = await world.start(['plan'], { output: '/dev/full' })
  expect(exitCode).toBe(0)
  const records = (await world.oracle()).filter(({ kind }) => kind === 'line' || kind === 'lost')
  expect(kinds(records)).toEqual(Array.from({ length: 4 }, () => ['line', 'lost']).flat())
  expect(records[1]).toMatchObject({ bytes: 101 })
})
