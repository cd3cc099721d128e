import {
  eventually,
  type FakeServer,
  type FakeTask,
  layOutMisbehavingTerraform,
  startFakeServer,
  type TemporaryDirectory,
  temporaryDirectory,
} from '@iac-agent/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { identityOf } from '../../src/journal/process-identity.js'
import { findCgroup } from '../../src/terraform/cgroup.js'
import { startDaemon, type TestDaemon } from '../_util/daemon.js'

let home: TemporaryDirectory
let server: FakeServer
let daemon: TestDaemon | undefined
beforeEach(async () => {
  home = await temporaryDirectory('limits')
  server = await startFakeServer()
})
afterEach(async () => {
  await daemon?.[Symbol.asyncDispose]()
  daemon = undefined
  await server[Symbol.asyncDispose]()
  await home[Symbol.asyncDispose]()
})

/** An agent of this test's terraform. */
async function agentWith(flags: Record<string, string> = {}): Promise<void> {
  const terraformPath = await layOutMisbehavingTerraform(home.path)
  daemon = await startDaemon({ server, flags: { terraformPath, ...flags } })
  await server.message('heartbeat')
}

async function ended(task: FakeTask) {
  return await eventually('the end', () => task.finalStatus)
}

async function planOf(orders: string) {
  const task = server.addTask({ workspace: { tf_code: `# ${orders}\n` } })
  server.offer(task)
  return { task, status: await ended(task) }
}

async function startedApply(orders: string): Promise<FakeTask> {
  const workspace = { workspace_id: 'ws-l', tf_code: `# apply\n# ${orders}\n` }
  const plan = server.addTask({ taskType: 'plan_and_apply', workspace })
  server.offer(plan)
  await ended(plan)
  if (!plan.plan) throw new Error(`no plan: ${JSON.stringify(plan.finalStatus)}`)
  const apply = server.addTask({ action: 'apply', workspace, plan: plan.plan })
  server.offer(apply)
  return apply
}

const interrupts = (task: FakeTask) => task.log.toString().match(/^Interrupt received/gm) ?? []

describe('a command beyond a limit is interrupted once and fails its task', () => {
  it('with more memory than --task-memory-limit, its children counted', async () => {
    await agentWith({ taskMemoryLimit: '100MiB' })
    const { task, status } = await planOf('hog')
    expect(status).toMatchObject({ status: 'failed', error_code: 'memory_limit' })
    expect(status.error_message).toMatch(/^terraform plan held 1\d\d MiB of memory, more than the 100 MiB of --task/)
    expect(interrupts(task)).toHaveLength(1)
    expect(task.log.toString()).toContain(`\nError: ${status.error_message}`)
  })

  it('silent for longer than --silence-timeout', async () => {
    await agentWith({ silenceTimeout: '1s' })
    const { task, status } = await planOf('silent')
    expect(status).toMatchObject({ status: 'failed', error_code: 'silence_timeout' })
    expect(status.error_message).toMatch(/printed nothing for \d.* s, longer than the 1 s of --silence-timeout/)
    expect(interrupts(task)).toHaveLength(1)
  })

  it('running for longer than --run-timeout, however much it says', async () => {
    await agentWith({ runTimeout: '1500ms', silenceTimeout: '1h' })
    const { task, status } = await planOf('hog talk')
    expect(status).toMatchObject({ status: 'failed', error_code: 'run_timeout' })
    expect(task.log.toString()).toContain('word')
    expect(interrupts(task)).toHaveLength(1)
  })
})

it('leaves a command within its limits alone', async () => {
  await agentWith({ taskMemoryLimit: '100GiB', silenceTimeout: '1h', runTimeout: '1h' })
  const { status } = await planOf('busy')
  expect(status).toMatchObject({ status: 'success' })
})

it('calls a task failed by its limit, not cancelled, when an operator cancels it after', async () => {
  await agentWith({ silenceTimeout: '1s', cancelGrace: '300ms' })
  const apply = await startedApply('stubborn')
  await eventually('the first interrupt', () => interrupts(apply).length === 1)
  server.send('cancel_task', { task_id: apply.id, force: true })
  const status = await ended(apply)
  expect(status).toMatchObject({ status: 'failed', error_code: 'silence_timeout' })
  expect(status.error_message).toContain('The apply was stopped by force')
})

it('never kills an apply that is beyond a limit', async () => {
  await agentWith({ silenceTimeout: '1s', cancelGrace: '100ms' })
  const apply = await startedApply('stubborn')
  await eventually('the first interrupt', () => interrupts(apply).length === 1)
  const pid = Number(/^runs (\d+)/m.exec(apply.log.toString())?.[1])
  const later = Date.now() + 600
  await server.message('heartbeat', ({ timestamp }) => Date.parse(String(timestamp)) > later)
  expect(await identityOf(pid)).toBeDefined()
  expect(interrupts(apply)).toHaveLength(1)
  process.kill(pid, 'SIGKILL')
  expect(await ended(apply)).toMatchObject({ status: 'failed', error_code: 'silence_timeout' })
})

it('says that terraform was killed, and not by the agent', async () => {
  await agentWith()
  const { task, status } = await planOf('killed')
  expect(status).toMatchObject({ status: 'failed', error_code: 'killed' })
  expect(status.error_message).toMatch(
    /was killed by SIGKILL.* Of memory, \d.* MiB were seen in use, the host has \d+ MiB\./,
  )
  expect(task.log.toString()).toContain(`\nError: ${status.error_message}`)
})

it('tells what a phase used: the CPU time of all its commands and their children, and the most memory', async () => {
  await agentWith()
  const { status } = await planOf('busy')
  expect(status.usage?.cpu_ms).toBeGreaterThanOrEqual(500)
  expect(status.usage?.cpu_ms).toBeLessThan(5_000)
  expect(status.usage?.peak_rss_bytes).toBeGreaterThan(20 * 1024 * 1024)
})

it('leaves no daemon of its terraform behind where runs have a cgroup', async () => {
  await agentWith()
  const { task } = await planOf('daemon')
  const pid = Number(/daemon (\d+)/.exec(task.log.toString())?.[1])
  if ((await findCgroup()) === undefined) process.kill(pid, 'SIGKILL') // there it is out of reach
  await eventually('the end of the daemon', async () => (await identityOf(pid)) === undefined)
})
