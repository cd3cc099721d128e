import {
  eventually,
  layOutTestProvider,
  processesIn,
  type TemporaryDirectory,
  temporaryDirectory,
} from '@iac-agent/testkit'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Rig } from './rig.js'

let rig: Rig
let mirror: TemporaryDirectory
let head: string
let workRoot: string

beforeAll(async () => {
  mirror = await temporaryDirectory('mirror')
  const provider = await layOutTestProvider(mirror.path)
  head = provider.configurationHead
  rig = await Rig.start()
  const agent = await rig.addAgent({ args: ['--terraform-cli-config', provider.cliConfigFile] })
  workRoot = agent.dataDir
})
afterAll(async () => {
  await rig[Symbol.asyncDispose]()
  await mirror[Symbol.asyncDispose]()
})

it('ends terraform while it plans, and the task as cancelled', async () => {
  const workspace = await rig.workspace(
    `${head}\nresource "cloud_object" "slow" {\n name = "s"\n plan_delay_ms = 60000\n}`,
  )
  const id = await rig.queue(workspace, 'plan')
  await rig.taskWhen(id, 'planning', ({ stage }) => stage === 'planning')
  await eventually('terraform runs', async () => (await processesIn(workRoot)).length > 0)
  const asked = await rig.client.tasks.cancel({ params: { id } })
  expect(asked.cancel).toMatchObject({ by: expect.any(String), force: false })
  const task = await rig.reached(id, 'cancelled')
  expect(task.completed_at).toBeTruthy()
  await noTerraformLeft()
})

it('interrupts terraform while it applies, once, and keeps the state of what exists', async () => {
  const workspace = await rig.workspace(`
    resource "terraform_data" "first" {}
    resource "terraform_data" "slow" {
      depends_on = [terraform_data.first]
      provisioner "local-exec" { command = "echo begun; sleep 60" }
    }
    resource "terraform_data" "never" { depends_on = [terraform_data.slow] }`)
  const id = await rig.queue(workspace, 'plan_and_apply')
  await rig.reached(id, 'apply_pending')
  await rig.confirm(id)
  await eventually('the slow resource has begun', async () => (await rig.task(id)).apply_output?.includes('begun'))
  await rig.client.tasks.cancel({ params: { id } })
  const task = await rig.reached(id, 'cancelled')
  expect(task.apply_output?.match(/Interrupt received/g)).toHaveLength(1)
  expect(await rig.addresses(workspace)).toContain('terraform_data.first')
  expect(await rig.addresses(workspace)).not.toContain('terraform_data.never')
  await noTerraformLeft()
})

it('ends a task that no agent has yet at once', async () => {
  const workspace = await rig.workspace('output "a" { value = 1 }')
  await rig.client.workspaces.lock({ params: { id: workspace }, body: { reason: 'not today' } })
  const id = await rig.queue(workspace, 'plan_and_apply')
  expect((await rig.task(id)).pending_reason?.code).toBe('workspace_locked')
  await rig.client.tasks.cancel({ params: { id } })
  await rig.reached(id, 'cancelled')
})

async function noTerraformLeft(): Promise<void> {
  await eventually('no process of the run is left', async () => (await processesIn(`${workRoot}/work`)).length === 0)
}
