import { layOutTestProvider, type TemporaryDirectory, type TestProvider, temporaryDirectory } from '@iac-agent/testkit'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { Rig } from './rig.js'

let rig: Rig
let mirror: TemporaryDirectory
let provider: TestProvider

beforeAll(async () => {
  mirror = await temporaryDirectory('mirror')
  provider = await layOutTestProvider(mirror.path)
  rig = await Rig.start()
  await rig.addAgent({ args: ['--terraform-cli-config', provider.cliConfigFile] })
})
afterAll(async () => {
  await rig[Symbol.asyncDispose]()
  await mirror[Symbol.asyncDispose]()
})
beforeEach(async () => await provider.clear())

it('installs a provider from a mirror, and does not install it again for the next task', async () => {
  const workspace = await rig.workspace(withObject('name = "one"'))
  const first = await rig.apply(workspace)
  expect(first.plan_output).toContain('Installing example.test/iac/cloud v1.0.0')
  expect(await provider.objects()).toMatchObject([{ name: 'one', ready: true }])
  const second = await rig.apply(workspace, 'destroy')
  expect(second.plan_output).not.toContain('Installing')
  expect(await provider.objects()).toEqual([])
})

it("fails the apply with the provider's own sentence", async () => {
  const workspace = await rig.workspace(withObject('name = "two"\n fail_create = "quota of objects exceeded"'))
  const id = await rig.queue(workspace, 'plan_and_apply')
  await rig.reached(id, 'apply_pending')
  await rig.confirm(id)
  const task = await rig.reached(id, 'failed')
  expect(task.error_code).toBe('apply_failed')
  expect(task.error_message).toContain('quota of objects exceeded')
})

it('fails the plan and names the provider that no source has', async () => {
  const workspace = await rig.workspace(`
    terraform {
      required_providers {
        absent = { source = "example.test/iac/absent" }
      }
    }
    provider "absent" {}`)
  const task = await rig.reached(await rig.queue(workspace, 'plan'), 'failed')
  expect(task.error_code).toBe('provider_unavailable')
  expect(task.error_message).toContain('example.test/iac/absent')
})

function withObject(attributes: string): string {
  return `${provider.configurationHead}\nresource "cloud_object" "it" {\n ${attributes}\n}\n`
}
