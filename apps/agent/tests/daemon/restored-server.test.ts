import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ExitCode } from '@iac-agent/runtime'
import {
  eventually,
  type FakeServer,
  type FakeTask,
  refusal,
  startFakeServer,
  type TemporaryDirectory,
  temporaryDirectory,
} from '@iac-agent/testkit'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { attemptLayout } from '../../src/journal/layout.js'
import { runCli } from '../_util/cli.js'
import { startDaemon } from '../_util/daemon.js'

const tf_code = { resource: { terraform_data: { one: { input: 'plain' } } } }

let home: TemporaryDirectory
let server: FakeServer
beforeEach(async () => {
  home = await temporaryDirectory('restored')
  server = await startFakeServer()
})
afterEach(async () => {
  await server[Symbol.asyncDispose]()
  await home[Symbol.asyncDispose]()
})

const start = () => startDaemon({ server, dataDir: join(home.path, 'data') })
const finalStatus = (task: FakeTask) => eventually(`end of task ${task.id}`, () => task.finalStatus)

/** A plan and its apply, delivered. */
async function planAndApply(): Promise<{ plan: FakeTask; apply: FakeTask }> {
  const workspace = { workspace_id: 'ws-r', tf_code }
  const plan = server.addTask({ taskType: 'plan_and_apply', workspace })
  server.offer(plan)
  await finalStatus(plan)
  const apply = server.addTask({ action: 'apply', workspace, ...(plan.plan ? { plan: plan.plan } : {}) })
  server.offer(apply)
  await finalStatus(apply)
  return { plan, apply }
}

function deliveredTo({ log, states, statuses, resources, plan, planJson, seals }: FakeTask) {
  const addresses = new Set(resources.map(({ address, status }) => `${address} ${status}`))
  const sent = new Set(states.map(String))
  const { store_epoch: _, ...final } = statuses.filter(({ status }) => status !== 'running').at(-1) ?? {}
  return { log: String(log), states: sent, final, addresses, plan, planJson, seal: seals.at(-1) }
}

function restore(epoch: number, ...tasks: FakeTask[]): void {
  for (const task of tasks) task.loseAll()
  server.storeEpoch = epoch
  server.dropSockets()
}

it.each(['goes on running', 'is started later'])(
  'sends again what a server restored from a backup lost, when the agent %s',
  async (how) => {
    let daemon = await start()
    await server.message('heartbeat')
    const { plan, apply } = await planAndApply()
    const before = [deliveredTo(plan), deliveredTo(apply)]
    if (how === 'is started later') await daemon[Symbol.asyncDispose]()
    restore(2, plan, apply)
    if (how === 'is started later') daemon = await start()
    await finalStatus(plan)
    await finalStatus(apply)
    expect([deliveredTo(plan), deliveredTo(apply)]).toEqual(before)
    expect(apply.starts).toHaveLength(1)
    await eventually('it is registered again', () => server.registered.length >= 2)
    const requests = server.requests.filter((line) => line.includes('/tasks/')).length
    restore(2)
    const beats = server.received.length
    await eventually('more is said', () => server.received.length > beats + 2)
    expect(server.requests.filter((line) => line.includes('/tasks/')).length).toBe(requests)
    await daemon[Symbol.asyncDispose]()
  },
)

it('sends at once, and does not run, what the restored server offers although it is over', async () => {
  await using daemon = await start()
  await server.message('heartbeat')
  const tasks: FakeTask[] = []
  for (let made = 0; made < 5; made++) {
    const task = server.addTask({ workspace: { tf_code } })
    tasks.push(task)
    server.offer(task)
    await finalStatus(task)
    await eventually('it is over', async () => {
      expect(await daemon.status()).toMatchObject({ attempts: [], kept: { count: made + 1 } })
      return true
    })
  }
  const [oldest] = tasks as [FakeTask]
  const log = oldest.log.toString()
  // the newest four are sent first, and do not come through
  server.fail({ match: /tasks\/[2-5]\//, times: 1_000_000, answer: 'cut' })
  restore(2, ...tasks)
  await eventually('four are being sent', async () => {
    expect(await daemon.status()).toMatchObject({ attempts: { length: 4 }, kept: { count: 1 } })
    return true
  })
  server.offer(oldest)
  await finalStatus(oldest)
  expect(oldest.log.toString()).toBe(log)
  expect(server.received.filter(({ type }) => type === 'task_rejected')).toEqual([])
  const accepted = server.received.filter(
    ({ type, payload }) => type === 'task_accepted' && 'task_id' in payload && payload.task_id === oldest.id,
  )
  expect(accepted).toHaveLength(2)
  const journal = await readFile(attemptLayout(daemon.data, oldest.id, 1).journal, 'utf8')
  expect(journal.match(/"fact":"spawning","run":"plan-/g)).toHaveLength(1)
  server.heal()
})

it('keeps what the restored server does not know, says so, and asks no more until another restore', async () => {
  await using daemon = await start()
  await server.message('heartbeat')
  const task = server.addTask({ workspace: { tf_code } })
  server.offer(task)
  await finalStatus(task)
  const log = task.log.toString()
  const unknown = refusal('unknown_attempt', 'not known here')
  server.fail({ match: /tasks\/1\//, times: 1_000_000, answer: unknown })
  restore(2, task)
  await eventually('it is kept for a person', async () => {
    expect(await daemon.status()).toMatchObject({
      attempts: [],
      alarms: [],
      kept: { for_a_person: [{ attempt: '1-1', why: 'unknown_to_server' }] },
    })
    return true
  })
  const { stdout } = await runCli('status', '--data-dir', daemon.data.root)
  expect(stdout).toContain('attempt 1-1: unknown to the server since its restore')
  const asked = server.requests.filter((line) => line.includes('/tasks/1/')).length
  const beats = server.received.length
  await eventually('more is said', () => server.received.length > beats + 2)
  expect(server.requests.filter((line) => line.includes('/tasks/1/')).length).toBe(asked)
  expect(await readFile(join(daemon.data.attempts, '1-1', 'spool'), 'utf8')).toBe(log)
  server.heal()
  restore(3)
  await finalStatus(task)
  expect(task.log.toString()).toBe(log)
  await eventually('nothing waits for a person', async () => {
    expect(await daemon.status()).toMatchObject({ kept: { count: 1, for_a_person: [] } })
    return true
  })
})

it('tells a store that lost what it had just acknowledged, while the run goes on', async () => {
  const gate = join(home.path, 'gate')
  const slow = {
    terraform_data: {
      slow: { provisioner: { 'local-exec': { command: `until [ -e '${gate}' ]; do sleep 0.05; done` } } },
    },
  }
  await using _daemon = await start()
  await server.message('heartbeat')
  const workspace = { workspace_id: 'ws-s', tf_code: { resource: slow } }
  const plan = server.addTask({ taskType: 'plan_and_apply', workspace })
  server.offer(plan)
  await finalStatus(plan)
  const apply = server.addTask({ action: 'apply', workspace, ...(plan.plan ? { plan: plan.plan } : {}) })
  server.offer(apply)
  await eventually('the apply to run', () => apply.log.includes('Provisioning with'))
  restore(2, plan, apply)
  await writeFile(gate, '')
  expect(await finalStatus(apply)).toMatchObject({ status: 'applied' })
  expect(apply.log.toString()).toContain('Apply complete! Resources: 1 added')
  expect(apply.seals.at(-1)?.total_bytes).toBe(apply.log.length)
  await finalStatus(plan)
})

it('ends no task in a store that was restored just before it told the end, before that has what it lost', async () => {
  await using _daemon = await start()
  await server.message('heartbeat')
  const workspace = { workspace_id: 'ws-e', tf_code }
  const plan = server.addTask({ taskType: 'plan_and_apply', workspace })
  server.offer(plan)
  await finalStatus(plan)
  const apply = server.addTask({ action: 'apply', workspace, ...(plan.plan ? { plan: plan.plan } : {}) })
  server.fail({ match: /tasks\/2\/status/, times: 1_000_000, answer: 'cut' })
  server.offer(apply)
  await eventually('all but the end is told', () => apply.seals.length > 0 && apply.states.length > 0)
  apply.loseAll()
  server.storeEpoch = 2
  server.heal()
  expect(await finalStatus(apply)).toMatchObject({ status: 'applied', store_epoch: 2 })
  const lastOf = (request: string) => server.requests.findLastIndex((line) => line.includes(request))
  expect(lastOf('POST /api/v1/agents/tasks/2/state')).toBeLessThan(lastOf('PUT /api/v1/agents/tasks/2/status'))
})

it('tells each of many attempts that it resumes, also those it comes to when the restored server has answered others', async () => {
  const dataDir = join(home.path, 'data')
  const flags = { planLimit: '12' }
  const tasks = Array.from({ length: 12 }, () => server.addTask({ workspace: { tf_code } }))
  {
    await using daemon = await startDaemon({ server, dataDir, flags })
    await server.message('heartbeat')
    server.fail({ match: /status/, times: 1_000_000, answer: 'cut' })
    for (const task of tasks) server.offer(task)
    await eventually('all but the ends is told', () => tasks.every(({ seals }) => seals.length > 0))
    process.emit('SIGTERM')
    process.emit('SIGINT')
    expect(await daemon.ended).toBe(ExitCode.detached)
  }
  restore(2, ...tasks)
  server.heal()
  await using _daemon = await startDaemon({ server, dataDir, flags })
  for (const task of tasks) expect(await finalStatus(task)).toMatchObject({ status: 'success', store_epoch: 2 })
  expect(tasks.map(({ seals }) => seals.length)).toEqual(tasks.map(() => 1))
})
