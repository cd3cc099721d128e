import { readdir } from 'node:fs/promises'
import type { Phase } from '@iac-agent/protocol'
import {
  createPoolAndKey,
  eventually,
  fakeConfiguration,
  layOutFakeTerraform,
  type PoolAndKey,
  startAgent,
  type TemporaryDirectory,
  temporaryDirectory,
} from '@iac-agent/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Rig } from '../rig.js'
import { agentCrashPointNames } from './crash-point-names.js'
import { nothingLeft } from './leftovers.js'

const { agent: names } = await agentCrashPointNames()
const inCancel = names.filter((name) => name.startsWith('cancel.'))
const inFailure = names.filter((name) => name.includes('unrecorded'))
/** restored.test.ts: only a server that was restored leads there. */
const inResend = names.filter((name) => name.startsWith('resend.'))
const inLimit = names.filter((name) => name.startsWith('limit.'))
const inStart = names.filter((name) => name.startsWith('start.'))
const inRun = names.filter((name) => ![...inCancel, ...inFailure, ...inResend, ...inLimit, ...inStart].includes(name))

let rig: Rig
let home: TemporaryDirectory
let stubborn: string
let undisturbed: Logs

beforeAll(async () => {
  rig = await Rig.start()
  home = await temporaryDirectory('stubborn')
  stubborn = await layOutFakeTerraform(home.path)
  undisturbed = await runKilledAt(undefined)
  expect(undisturbed.apply.match(/tick \d$/gm)).toHaveLength(4)
})
afterAll(async () => {
  await rig[Symbol.asyncDispose]()
  await home[Symbol.asyncDispose]()
})

it('has points in every stage of a run', () => {
  expect(inRun.length).toBeGreaterThan(40)
  expect(inCancel).toHaveLength(6)
  expect(inFailure).toHaveLength(3)
  expect(inLimit).toHaveLength(1)
})

describe.concurrent('an agent that is killed and started again', () => {
  it.each(inRun)('at %s ends its task as if nothing had been', async (point) => {
    const logs = await runKilledAt(point)
    expect(logs).toEqual(undisturbed)
  })

  it.each(inFailure)('at %s still tells how an apply failed, and that its state has all', async (point) => {
    const pool = await createPoolAndKey(rig.client, point)
    await using agent = await startAgent({ server: rig.server, key: pool.key, env: { IAC_CRASH_POINT: point } })
    const fails = 'provisioner "local-exec" { command = "exit 3" }'
    const id = await queue(pool, `resource "terraform_data" "a" {\n ${fails}\n}`, 'plan_and_apply')
    expect(await agent.child.exited).toEqual({ code: null, signal: 'SIGKILL' })
    await agent.start({ env: {} })
    const task = await rig.reached(id, 'failed', patient)
    expect(task).toMatchObject({ error_code: 'apply_failed', unrecorded_resources: { created: 0, may_exist: 0 } })
    expect(task.error_message).toContain('exit status 3')
    expect((await stored(id, 'apply')).state).toBe('complete')
    await nothingLeft(agent)
  })

  it.each(inStart)('at %s, before it has ever served, serves after its next start', async (point) => {
    await using home = await temporaryDirectory('agent')
    const pool = await createPoolAndKey(rig.client, point)
    const options = { server: rig.server, key: pool.key, home: home.path }
    const first = await startAgent({ ...options, env: { IAC_CRASH_POINT: point } }).catch((fault: Error) => {
      if (!fault.message.includes('ended (SIGKILL)')) throw fault
    })
    if (first) expect(await first.child.exited).toEqual({ code: null, signal: 'SIGKILL' })
    await using agent = await startAgent(options)
    const workspace = await rig.workspace('output "a" { value = 1 }', { pool_id: pool.poolId })
    await rig.reached(await rig.queue(workspace, 'plan'), 'success', patient)
    await nothingLeft(agent)
    expect((await readdir(agent.dataDir)).filter((name) => name.endsWith('.tmp'))).toEqual([])
  })

  it.each(inCancel)('at %s still stops what was cancelled, with each rung once', async (point) => {
    const isForced = point.startsWith('cancel.interrupt_again.')
    const pool = await createPoolAndKey(rig.client, point)
    await using agent = await startAgent({
      server: rig.server,
      key: pool.key,
      args: ['--terraform-path', stubborn, '--cancel-grace', '300ms'],
      env: { IAC_CRASH_POINT: point },
    })
    const phase = isForced ? 'apply' : 'plan'
    const code = fakeConfiguration({ stubborn: phase })
    const id = await queue(pool, code, isForced ? 'plan_and_apply' : 'plan')
    await eventually('terraform hangs', async () => (await rig.task(id))[`${phase}_output`]?.includes('hangs'))
    await rig.client.tasks.cancel({ params: { id }, body: { force: isForced } })
    expect(await agent.child.exited).toEqual({ code: null, signal: 'SIGKILL' })
    await agent.start({ env: {} })
    await rig.reached(id, 'cancelled', patient)
    const { log, state } = await stored(id, phase)
    expect(state).toBe('complete')
    const interrupts = isForced ? ['Interrupt received', 'Two interrupts received'] : ['Interrupt received']
    expect(log.match(/^.*received/gm)).toEqual(interrupts)
    await nothingLeft(agent)
  })

  it.each(inLimit)('at %s still stops the run that was beyond its limit, once', async (point) => {
    const pool = await createPoolAndKey(rig.client, point)
    await using agent = await startAgent({
      server: rig.server,
      key: pool.key,
      args: ['--terraform-path', stubborn, '--cancel-grace', '300ms', '--run-timeout', '1s'],
      env: { IAC_CRASH_POINT: point },
    })
    const id = await queue(pool, fakeConfiguration({ stubborn: 'plan' }), 'plan')
    expect(await agent.child.exited).toEqual({ code: null, signal: 'SIGKILL' })
    await agent.start({ env: {} })
    expect((await rig.reached(id, 'failed', patient)).error_code).toBe('run_timeout')
    const { log, state } = await stored(id, 'plan')
    expect(state).toBe('complete')
    expect(log.match(/^.*received/gm)).toEqual(['Interrupt received'])
    await nothingLeft(agent)
  })
})

interface Logs {
  plan: string
  apply: string
}

/** Plans and applies on an agent of its own that dies at `point`; answers the logs without what chance put into them. */
async function runKilledAt(point: string | undefined): Promise<Logs> {
  const pool = await createPoolAndKey(rig.client, point ?? 'undisturbed')
  const env = point === undefined ? {} : { IAC_CRASH_POINT: point }
  await using agent = await startAgent({ server: rig.server, key: pool.key, env })
  const workspace = await rig.workspace(tree, { pool_id: pool.poolId, auto_apply: true })
  const id = await rig.queue(workspace, 'plan_and_apply')
  if (point !== undefined) {
    expect(await agent.child.exited).toEqual({ code: null, signal: 'SIGKILL' })
    await agent.start({ env: {} })
  }
  const task = await rig.reached(id, 'applied', patient)
  expect(task).toMatchObject({ attempt: 2, changes_add: 3, changes_change: 0, changes_destroy: 0, error_code: null })
  await nothingLeft(agent)
  await expectOneVersionAPost(workspace)
  const [plan, apply] = [await stored(id, 'plan'), await stored(id, 'apply')]
  expect([plan.state, apply.state]).toEqual(['complete', 'complete'])
  return { plan: withoutChance(plan.log), apply: withoutChance(apply.log) }
}

/** Terraform raises the serial by one with each POST, from the empty state's 0. */
async function expectOneVersionAPost(workspace: string): Promise<void> {
  const { items } = await rig.client.states.list({ params: { id: workspace } })
  const serials = items.map(({ serial }) => serial ?? 0).sort((one, other) => one - other)
  expect(serials).toEqual(serials.map((_, index) => index + 1))
  expect(serials.length).toBeGreaterThan(0)
  expect(items.filter(({ rescued }) => rescued)).toEqual([])
  expect(await rig.addresses(workspace)).toEqual(['terraform_data.a', 'terraform_data.b', 'terraform_data.c'])
}

async function stored(id: number, phase: Phase): Promise<{ log: string; state: string | null }> {
  const response = await rig.client.tasks.logs({ params: { id }, query: { phase } })
  return { log: await response.text(), state: response.headers.get('x-log-state') }
}

async function queue(pool: PoolAndKey, code: string, task_type: 'plan' | 'plan_and_apply'): Promise<number> {
  const workspace = await rig.workspace(code, { pool_id: pool.poolId, auto_apply: true })
  return await rig.queue(workspace, task_type)
}

const patient = { timeoutMs: 45_000, everyMs: 100 }

/** Ids and durations are another run's. */
function withoutChance(log: string): string {
  return log.replace(/id=[0-9a-f-]+/g, 'id=…').replace(/after \d+s/g, 'after …s')
}

/** A local module makes init necessary; one resource after the other makes the output the same each time. */
const tree = {
  'main.tf': `
    module "m" { source = "./m" }
    resource "terraform_data" "c" { depends_on = [module.m] }`,
  'm/main.tf': `
    resource "terraform_data" "a" {
      provisioner "local-exec" { command = "echo tick 1; echo tick 2" }
    }
    resource "terraform_data" "b" {
      depends_on = [terraform_data.a]
      provisioner "local-exec" { command = "echo tick 3; echo tick 4" }
    }`,
}
