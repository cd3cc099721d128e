import { once } from 'node:events'
import { mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { execa } from 'execa'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import {
  eventually,
  fakeConfiguration,
  layOutFakeTerraform,
  type OracleRecord,
  readOracle,
  type TemporaryDirectory,
  temporaryDirectory,
} from '../src/index.js'

let home: TemporaryDirectory
let fake: string
let oracleFile: string
let work: string

const nothing = JSON.stringify({ version: 4, serial: 0, lineage: 'here', outputs: {}, resources: [] })

/** A state backend that can be away. */
const backend = {
  state: '',
  posts: 0,
  refusals: 0,
  isAway: false,
  server: createServer((request, response) => {
    if (backend.isAway) {
      backend.refusals++
      return void response.destroy()
    }
    if (request.method === 'GET') return void response.end(backend.state)
    backend.posts++
    return void text(request).then((body) => {
      backend.state = body
      response.end()
    })
  }),
}

beforeAll(async () => {
  home = await temporaryDirectory('fake-terraform')
  oracleFile = join(home.path, 'oracle')
  fake = await layOutFakeTerraform(home.path, { oracleFile })
  backend.server.listen(0, '127.0.0.1')
  await once(backend.server, 'listening')
})
afterAll(async () => {
  await new Promise((resolve) => backend.server.close(resolve))
  await home[Symbol.asyncDispose]()
})
beforeEach(async () => {
  work = await mkdtemp(join(home.path, 'work-'))
  await writeFile(oracleFile, '')
  Object.assign(backend, { posts: 0, refusals: 0, isAway: false })
  backend.state = nothing
})

describe('beside the real terraform', () => {
  it('is the real one where there is no script', async () => {
    const { stdout } = await execa(fake, ['version'], { cwd: home.path })
    expect(stdout).toMatch(/^Terraform v\d/m)
    expect(await readOracle(oracleFile)).toEqual([])
  })

  it('tells the same events of an apply', async () => {
    const ours = await eventsOf(fakeConfiguration({ resources: 1 }))
    backend.state = nothing
    expect(ours).toEqual(await eventsOf(realConfiguration))
    expect(ours.length).toBe(5)
  })

  it('tells the same events when a destroy is applied', async () => {
    const events = async (configuration: string) => {
      await planned(configuration)
      await run('apply', '-json', '-parallelism=1', 'p')
      return await eventsOf(configuration, '-destroy')
    }
    expect(await events(fakeConfiguration({ resources: 1 }))).toEqual(await events(realConfiguration))
  })

  it('leaves a state that the real one understands and empties', async () => {
    await planned(fakeConfiguration({ resources: 3 }))
    await run('apply', '-json', '-parallelism=1', 'p')
    expect(JSON.parse(backend.state)).toMatchObject({ serial: 3, lineage: 'here' })
    await planned('')
    expect((await run('apply', '-json', '-parallelism=1', 'p')).stdout).toContain('0 added, 0 changed, 3 destroyed.')
    expect(JSON.parse(backend.state)).toMatchObject({ resources: [] })
  })

  it('finds nothing to do where the real one has done it, and shows a plan as it does', async () => {
    await planned(realConfiguration)
    await run('apply', '-json', '-parallelism=1', 'p')
    await planned(fakeConfiguration({ resources: 1 }))
    const document = JSON.parse((await run('show', '-json', '-no-color', 'p')).stdout) as Record<string, unknown>
    expect(document).toMatchObject({ format_version: '1.2', applyable: false, resource_changes: [] })
  })
})

it('notes begin and end, each acknowledged state, and a resource before it tells of it', async () => {
  await planned(fakeConfiguration({ resources: 2 }))
  const { stdout } = await run('apply', '-json', '-parallelism=1', 'p')
  const records = await readOracle(oracleFile)
  expect(kinds(records)).toEqual([
    ...['begin', 'line', 'end'],
    ...['begin', 'line', 'line', 'line', 'end'],
    ...['begin', 'line', 'posted', 'complete', 'line', 'line', 'posted', 'complete', 'line', 'line', 'end'],
  ])
  const ids = [...stdout.matchAll(/"id_value":"([^"]+)"/g)].map((match) => match[1])
  expect(records.flatMap((one) => (one.kind === 'complete' ? [one.id] : []))).toEqual(ids)
  expect(records.flatMap((one) => (one.kind === 'posted' ? [one.serial] : []))).toEqual([1, 2])
  expect(backend.posts).toBe(2)
})

describe('while it runs', () => {
  it('waits for a backend that is away, as long as it takes', async () => {
    await planned(fakeConfiguration({ resources: 2 }))
    await configure(fakeConfiguration({ lines: 2, linePauseMs: 200 }))
    const running = start(['apply', '-json', 'p'])
    await eventually('a state', () => backend.posts === 1)
    backend.isAway = true
    await eventually('two tries', () => backend.refusals >= 2)
    backend.isAway = false
    expect((await running).exitCode).toBe(0)
    expect(backend.posts).toBe(2)
  })

  it('keeps its state in a file when the backend is away for good', async () => {
    await planned(fakeConfiguration({ resources: 2 }))
    await configure(fakeConfiguration({ lines: 2, linePauseMs: 200 }))
    const running = start(['apply', '-json', 'p'], { env: { TF_HTTP_RETRY_MAX: '1' } })
    await eventually('a state', () => backend.posts === 1)
    backend.isAway = true
    const { exitCode, stdout } = await running
    expect(exitCode).toBe(1)
    expect(stdout).toContain('"summary":"Failed to save state"')
    expect(JSON.parse(await readFile(join(work, 'errored.tfstate'), 'utf8'))).toMatchObject({ serial: 2 })
  })

  it('says so when it cannot load the state', async () => {
    await configure(fakeConfiguration({}))
    backend.isAway = true
    const { exitCode, stdout } = await start(['plan'], { env: { TF_HTTP_RETRY_MAX: '0' } })
    expect(exitCode).toBe(1)
    expect(stdout).toMatch(/^Error: .* giving up after 1 attempt/m)
    expect((await readOracle(oracleFile)).at(-1)).toMatchObject({ kind: 'end', code: 1 })
  })

  it('finishes what is in flight at the first interrupt, and saves it', async () => {
    await planned(fakeConfiguration({ resources: 3 }))
    await configure(fakeConfiguration({ lines: 3_000, linePauseMs: 100 }))
    const running = start(['apply', '-json', 'p'])
    await eventually('its lines', async () => (await readOracle(oracleFile)).at(-1)?.kind === 'line')
    running.kill('SIGINT')
    const { exitCode, stdout } = await running
    expect([exitCode, backend.posts]).toEqual([1, 1])
    expect(stdout).toMatch(/Interrupt received[\s\S]*Creation complete[\s\S]*execution halted/)
    expect(JSON.parse(backend.state)).toMatchObject({ serial: 1 })
    expect(kinds(await readOracle(oracleFile)).slice(-6)).toEqual(['line', 'posted', 'complete', 'line', 'line', 'end'])
  })

  it('ends at the second interrupt, whatever it waits for', async () => {
    await planned(fakeConfiguration({ resources: 1 }))
    backend.isAway = true
    const running = start(['apply', '-json', 'p'])
    await eventually('a try', () => backend.refusals > 0)
    running.kill('SIGINT')
    await eventually('its word', async () => kinds(await readOracle(oracleFile)).includes('interrupt'))
    running.kill('SIGINT')
    const { exitCode, stdout } = await running
    expect([exitCode, backend.posts]).toEqual([1, 0])
    expect(stdout).toMatch(/Interrupt received[\s\S]*Two interrupts received/)
  })

  it.each([1, 7])(
    'killed while it prints %i at a time, has told its oracle of one write more at most',
    async (batch) => {
      await configure(fakeConfiguration({ lines: 1_000_000, batch }))
      const output = join(work, 'output')
      const running = start(['plan'], { output })
      await eventually('lines', async () => (await readFile(output)).length > 10_000)
      running.kill('SIGKILL')
      await running
      const texts = (await readOracle(oracleFile)).flatMap((one) => (one.kind === 'line' ? [one.text] : []))
      const printed = await readFile(output, 'utf8')
      expect(texts.join('').startsWith(printed)).toBe(true)
      expect(printed.length).toBeGreaterThanOrEqual(texts.slice(0, -1).join('').length)
      expect(texts[0]?.split('\n')).toHaveLength(batch + 1)
    },
  )

  it('goes on when the disk under its output is full, and says what is lost', async () => {
    await configure(fakeConfiguration({ lines: 3, resources: 0, lineBytes: 100 }))
    const { exitCode } = await start(['plan'], { output: '/dev/full' })
    expect(exitCode).toBe(0)
    const records = (await readOracle(oracleFile)).filter(({ kind }) => kind === 'line' || kind === 'lost')
    expect(kinds(records)).toEqual(Array.from({ length: 4 }, () => ['line', 'lost']).flat())
    expect(records[1]).toMatchObject({ bytes: 101 })
  })
})

/** Type and text of each event of an apply. */
async function eventsOf(configuration: string, ...flags: string[]): Promise<string[]> {
  await planned(configuration, ...flags)
  const { stdout } = await run('apply', '-json', '-parallelism=1', 'p')
  const events = stdout.split('\n').map((line) => JSON.parse(line) as { type: string; '@message': string })
  return events
    .filter(({ type }) => type !== 'outputs')
    .map((event) => `${event.type} ${event['@message'].replace(/id=[0-9a-f-]+/, 'id=…')}`)
}

async function configure(configuration: string): Promise<void> {
  await writeFile(join(work, 'main.tf'), configuration)
  await writeFile(join(work, 'zz_override.tf.json'), '{"terraform":{"backend":{"http":{}}}}')
}

async function planned(configuration: string, ...flags: string[]): Promise<void> {
  await configure(configuration)
  await run('init', '-input=false')
  await run('plan', '-input=false', '-no-color', '-out=p', ...flags)
}

async function run(...args: string[]): Promise<{ stdout: string }> {
  const { exitCode, stdout, stderr } = await start(args)
  if (exitCode !== 0) throw new Error(`${args.join(' ')} ended with ${exitCode}: ${stdout}${stderr}`)
  return { stdout: String(stdout) }
}

/** `output`: takes stdout, by a shell as in the agent's supervisor. */
function start(args: string[], { output, env = {} }: { output?: string; env?: Record<string, string> } = {}) {
  const { port } = backend.server.address() as AddressInfo
  const own = { CHECKPOINT_DISABLE: '1', TF_HTTP_ADDRESS: `http://127.0.0.1:${port}/`, TF_HTTP_RETRY_MAX: '86400' }
  const options = { cwd: work, reject: false, stdin: 'ignore', env: { ...own, ...env } } as const
  if (output === undefined) return execa(fake, args, options)
  return execa('/bin/sh', ['-c', 'exec "$@" >"$0"', output, fake, ...args], options)
}

function kinds(records: readonly OracleRecord[]): string[] {
  return records.map(({ kind }) => kind)
}

const realConfiguration = 'resource "terraform_data" "r" {\n  count = 1\n}\n'
