import {
  eventually,
  type FakeServer,
  type FakeTask,
  fakeConfiguration,
  layOutFakeTerraform,
  startFakeServer,
  type TemporaryDirectory,
  temporaryDirectory,
} from '@iac-agent/testkit'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { identityOf } from '../../src/journal/process-identity.js'
import { startDaemon, type TestDaemon } from '../_util/daemon.js'

let home: TemporaryDirectory
let server: FakeServer
let daemon: TestDaemon
beforeEach(async () => {
  home = await temporaryDirectory('cancel')
  server = await startFakeServer()
  const terraformPath = await layOutFakeTerraform(home.path)
  daemon = await startDaemon({ server, flags: { terraformPath, cancelGrace: '300ms' } })
  await server.message('heartbeat')
})
afterEach(async () => {
  await daemon[Symbol.asyncDispose]()
  await server[Symbol.asyncDispose]()
  await home[Symbol.asyncDispose]()
})

const hanging = fakeConfiguration({ stubborn: 'plan' })

/** Waits until the stubborn terraform of a task runs; its pid. */
async function runningPid(task: FakeTask): Promise<number> {
  server.offer(task)
  const said = await eventually('terraform to run', () => /hangs (\d+)\n/.exec(task.log.toString())?.[1])
  return Number(said)
}

async function ended(task: FakeTask, pid: number): Promise<void> {
  await eventually('the end', () => task.finalStatus)
  expect(task.finalStatus?.status).toBe('cancelled')
  expect(await identityOf(pid)).toBeUndefined()
}

async function plannedApply(): Promise<FakeTask> {
  const workspace = { workspace_id: 'ws-c', tf_code: fakeConfiguration({ stubborn: 'apply' }) }
  const plan = server.addTask({ taskType: 'plan_and_apply', workspace })
  server.offer(plan)
  await eventually('the plan', () => plan.finalStatus)
  if (!plan.plan) throw new Error(`no plan: ${JSON.stringify(plan.finalStatus)}`)
  return server.addTask({ action: 'apply', workspace, plan: plan.plan })
}

const first = 'Interrupt received'
const second = 'Two interrupts received'
const interrupts = (task: FakeTask) => task.log.toString().match(/Interrupt received|Two interrupts received/g) ?? []

it('interrupts a plan once, and kills it after the grace', async () => {
  const task = server.addTask({ workspace: { tf_code: hanging } })
  const pid = await runningPid(task)
  server.send('cancel_task', { task_id: task.id })
  server.send('cancel_task', { task_id: task.id })
  await ended(task, pid)
  expect(interrupts(task)).toEqual([first])
})

it('takes a cancel from the desired state, however often it is said', async () => {
  const task = server.addTask({ workspace: { tf_code: hanging } })
  const pid = await runningPid(task)
  server.desired = [{ task_id: task.id, attempt: task.attempt, want: 'cancel' }]
  await ended(task, pid)
  expect(interrupts(task)).toEqual([first])
})

it('interrupts an apply once and waits, until an operator forces it', async () => {
  const apply = await plannedApply()
  const pid = await runningPid(apply)
  server.send('cancel_task', { task_id: apply.id })
  await eventually('the first interrupt', () => interrupts(apply).length === 1)
  const later = Date.now() + 600
  await server.message('heartbeat', ({ timestamp }) => Date.parse(String(timestamp)) > later)
  expect(await identityOf(pid)).toBeDefined()
  expect(interrupts(apply)).toEqual([first])
  server.send('cancel_task', { task_id: apply.id, force: true })
  await ended(apply, pid)
  expect(interrupts(apply)).toEqual([first, second])
  expect(apply.finalStatus?.error_message).toContain('resources in flight')
})

it('gives a forgotten apply the first rung only, and delivers what it leaves', async () => {
  const apply = await plannedApply()
  const pid = await runningPid(apply)
  server.desired = [{ task_id: apply.id, attempt: apply.attempt, want: 'forget' }]
  await eventually('the first interrupt', () => interrupts(apply).length === 1)
  expect(await identityOf(pid)).toBeDefined()
  process.kill(pid, 'SIGKILL')
  await eventually('delivery', () => apply.finalStatus)
  expect(apply.seals).toHaveLength(1)
})

it('cancels what has not started terraform yet without starting it', async () => {
  server.fail({ match: /\/data$/, times: 1_000, answer: 'cut' })
  const task = server.addTask({ workspace: { tf_code: hanging } })
  server.offer(task)
  await eventually('a try', () => server.requests.some((line) => line.endsWith('/data')))
  server.send('cancel_task', { task_id: task.id })
  await eventually('the end', () => task.finalStatus)
  expect(task.finalStatus?.status).toBe('cancelled')
  expect(task.log.toString()).not.toContain('hangs')
})
