import { readdir, readFile } from 'node:fs/promises'
import {
  eventually,
  type FakeServer,
  type FakeTask,
  startFakeServer,
  type TemporaryDirectory,
  temporaryDirectory,
} from '@iac-agent/testkit'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { attemptLayout } from '../../src/journal/layout.js'
import { runCli } from '../_util/cli.js'
import { startDaemon, type TestDaemon } from '../_util/daemon.js'

const secret = 'a-value-nobody-may-read'
const tf_code = {
  variable: { token: { sensitive: true } },
  resource: { terraform_data: { one: { input: 'plain' } } },
}
const variables = [{ key: 'token', value: secret, category: 'terraform' as const, sensitive: true, hcl: false }]

let home: TemporaryDirectory
let server: FakeServer
beforeEach(async () => {
  home = await temporaryDirectory('retention')
  server = await startFakeServer()
})
afterEach(async () => {
  await server[Symbol.asyncDispose]()
  await home[Symbol.asyncDispose]()
})

const start = (flags: Record<string, string> = {}) => startDaemon({ server, dataDir: home.path, flags })

async function done(daemon: TestDaemon, task: FakeTask): Promise<void> {
  server.offer(task)
  await eventually(`task ${task.id} to end`, () => task.finalStatus)
  await eventually('the attempt to be over', async () => {
    expect(await daemon.status()).toMatchObject({ attempts: [] })
    return true
  })
}

const filesOf = (daemon: TestDaemon, task: FakeTask) =>
  readdir(attemptLayout(daemon.data, task.id, task.attempt).root).then((names) => names.sort())

it('keeps of a plan and of an apply what can be sent again, without their inputs and secrets', async () => {
  await using daemon = await start()
  await server.message('heartbeat')
  const workspace = { workspace_id: 'ws-k', tf_code }
  const plan = server.addTask({ taskType: 'plan_and_apply', workspace, variables })
  await done(daemon, plan)
  const apply = server.addTask({ action: 'apply', workspace, variables, ...(plan.plan ? { plan: plan.plan } : {}) })
  await done(daemon, apply)
  expect(await filesOf(daemon, plan)).toEqual(['journal.jsonl', 'plan.json', 'plan.tar.gz', 'spool', 'states'])
  expect(await filesOf(daemon, apply)).toEqual(['journal.jsonl', 'progress.jsonl', 'spool', 'states'])
  for (const task of [plan, apply]) {
    const { journal, spool } = attemptLayout(daemon.data, task.id, task.attempt)
    for (const path of [journal, spool]) expect(await readFile(path, 'utf8')).not.toContain(secret)
    expect(await readFile(spool)).toEqual(task.log)
  }
  const { kept } = (await daemon.status()) as { kept: { count: number; bytes: number; oldest_at: string } }
  expect(kept).toMatchObject({ count: 2, for_a_person: [] })
  expect(kept.bytes).toBeGreaterThan(0)
  expect(Date.parse(kept.oldest_at)).toBeLessThanOrEqual(Date.now())
  const { stdout } = await runCli('status', '--data-dir', daemon.data.root)
  expect(stdout).toMatch(/^kept {6}2 attempts, \d+\.\d MiB, the oldest of 20/m)
})

it('has no secret on its disk any more while it still waits for the server to take what it sends', async () => {
  await using daemon = await start()
  await server.message('heartbeat')
  server.fail({ match: /(chunk|plan-json)$/, times: 1_000_000, answer: 'cut' })
  const task = server.addTask({ workspace: { tf_code }, variables })
  server.offer(task)
  await eventually('the run to be over', async () => {
    expect(await filesOf(daemon, task)).toEqual(['journal.jsonl', 'plan.json', 'spool', 'states'])
    return true
  })
  expect(task.finalStatus).toBeUndefined()
  server.heal()
  await eventually('the end', () => task.finalStatus)
})

it('removes what a former start kept when it is told to keep nothing', async () => {
  {
    await using daemon = await start()
    await server.message('heartbeat')
    await done(daemon, server.addTask({ workspace: { tf_code: {} } }))
    expect(await readdir(daemon.data.attempts)).toEqual(['1-1'])
  }
  await using daemon = await start({ keepAttempts: '0' })
  await eventually('nothing kept', async () => (await readdir(daemon.data.attempts)).length === 0)
})

it('bounds what it keeps by size, the oldest first', async () => {
  {
    await using daemon = await start()
    await server.message('heartbeat')
    for (let made = 0; made < 3; made++) await done(daemon, server.addTask({ workspace: { tf_code: {} } }))
  }
  const all = await keptWith('100MiB')
  expect(all.names).toEqual(['1-1', '2-1', '3-1'])
  const bounded = await keptWith(`${Math.ceil((all.bytes * 5) / 6)}B`)
  expect(bounded.names).toEqual(['2-1', '3-1'])

  async function keptWith(keepAttemptsMax: string) {
    await using daemon = await start({ keepAttemptsMax })
    const before = server.received.length
    await eventually('heartbeats', () => server.received.length > before + 2)
    const { kept } = (await daemon.status()) as { kept: { bytes: number } }
    return { bytes: kept.bytes, names: (await readdir(daemon.data.attempts)).sort() }
  }
})
