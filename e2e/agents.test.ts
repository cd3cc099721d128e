import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { layOutTestProvider, type TemporaryDirectory, type TestProvider, temporaryDirectory } from '@iac-agent/testkit'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { Rig } from './rig.js'

let rig: Rig
let mirror: TemporaryDirectory
let provider: TestProvider

beforeAll(async () => {
  mirror = await temporaryDirectory('mirror')
  provider = await layOutTestProvider(mirror.path)
})
afterAll(async () => await mirror[Symbol.asyncDispose]())
beforeEach(async () => {
  rig = await Rig.start()
})
afterEach(async () => await rig[Symbol.asyncDispose]())

const slow = (seconds: number, name = 'slow') =>
  `resource "terraform_data" "${name}" {\n provisioner "local-exec" { command = "sleep ${seconds}" }\n}\n`

it('plans three workspaces at once on one agent, and applies alone', async () => {
  const agent = await rig.addAgent({ args: agentArgs() })
  const planning = `${provider.configurationHead}\nresource "cloud_object" "a" {\n name = "a"\n plan_delay_ms = 3000\n}\n`
  const workspaces = await Promise.all([1, 2, 3].map(() => rig.workspace(planning)))
  const applying = await rig.workspace(slow(2))
  const apply = await rig.queue(applying, 'plan_and_apply')
  await rig.reached(apply, 'apply_pending')

  const plans = await Promise.all(workspaces.map((id) => rig.queue(id, 'plan')))
  await Promise.all(plans.map((id) => rig.taskWhen(id, 'planning', ({ stage }) => stage === 'planning')))
  const status = await rig.client.agents.get({ params: { agent_id: agent.agentId } })
  expect(status.plan_limit).toBe(3)
  expect(await Promise.all(plans.map(async (id) => (await rig.task(id)).status))).toEqual(plans.map(() => 'running'))

  await rig.confirm(apply)
  const waiting = await rig.taskWhen(apply, 'waiting', ({ pending_reason }) => pending_reason?.code === 'agents_busy')
  expect(waiting.pending_reason?.message).toBeTruthy()
  const late = await rig.queue(await rig.workspace('output "a" { value = 1 }'), 'plan')
  await rig.taskWhen(apply, 'applying', ({ stage }) => stage === 'applying')
  for (const id of plans) expect((await rig.task(id)).status).toBe('success')
  expect((await rig.task(late)).status).toBe('pending')
  await rig.reached(apply, 'applied')
  await rig.reached(late, 'success')
})

it('gives a task to the agent with the least to do', async () => {
  const first = await rig.addAgent({ name: 'first', args: agentArgs() })
  const planning = `${provider.configurationHead}\nresource "cloud_object" "a" {\n name = "a"\n plan_delay_ms = 4000\n}\n`
  const busy = await rig.queue(await rig.workspace(planning), 'plan')
  await rig.taskWhen(busy, 'planning', ({ stage }) => stage === 'planning')
  const second = await rig.addAgent({ name: 'second', args: agentArgs() })
  const next = await rig.reached(await rig.queue(await rig.workspace('output "a" { value = 1 }'), 'plan'), 'success')
  expect((await rig.task(busy)).agent_id).toBe(first.agentId)
  expect(next.agent_id).toBe(second.agentId)
  await rig.reached(busy, 'success')
})

it('applies on a second agent a plan whose resource reads a file that planning wrote', async () => {
  await using work = await temporaryDirectory('work')
  const args = [...agentArgs(), '--work-root', work.path]
  const planner = await rig.addAgent({ name: 'planner', args })
  const workspace = await rig.workspace(
    `${provider.configurationHead}\nresource "cloud_object" "a" {\n name = "a"\n plan_file = "made-by-plan.txt"\n}\n`,
  )
  const id = await rig.queue(workspace, 'plan_and_apply')
  await rig.reached(id, 'apply_pending')
  await planner.stop()
  expect((await readdir(work.path)).filter((name) => !name.startsWith(workspace))).toEqual([])
  const applier = await rig.addAgent({ name: 'applier', args })
  await rig.confirm(id)
  const task = await rig.reached(id, 'applied')
  expect(task.agent_id).toBe(applier.agentId)
  expect(await provider.objects()).toMatchObject([{ name: 'a', ready: true }])
  await expect(readdir(join(work.path, workspace))).resolves.not.toContain('made-by-plan.txt')
})

it('says why a task waits when no agent is there, and runs it when one comes', async () => {
  const id = await rig.queue(await rig.workspace('output "a" { value = 1 }'), 'plan')
  const waiting = await rig.taskWhen(id, 'waiting', ({ pending_reason }) => pending_reason !== null)
  expect(waiting.pending_reason?.code).toBe('no_agent_online')
  await rig.addAgent()
  await rig.reached(id, 'success')
})

function agentArgs(): string[] {
  return ['--terraform-cli-config', provider.cliConfigFile]
}
