import type { RunningAgent } from '@iac-agent/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Rig } from './rig.js'

let rig: Rig
let agent: RunningAgent

beforeAll(async () => {
  rig = await Rig.start()
  agent = await rig.addAgent({ name: 'worker' })
})
afterAll(async () => await rig[Symbol.asyncDispose]())

const two = (value: string) => `
  resource "terraform_data" "a" { input = "${value}" }
  resource "terraform_data" "b" { input = terraform_data.a.output }
  output "value" { value = terraform_data.b.output }`

describe('a plan', () => {
  it('ends as success with its counts, its log and its changes, and stores no state', async () => {
    const workspace = await rig.workspace(two('one'))
    const id = await rig.queue(workspace, 'plan')
    const task = await rig.reached(id, 'success')
    expect(task).toMatchObject({ changes_add: 2, changes_change: 0, changes_destroy: 0, stage: 'completed' })
    expect(task.plan_output).toContain('Plan: 2 to add, 0 to change, 0 to destroy.')
    expect(await rig.log(id, 'plan')).toContain('# terraform_data.a will be created')
    const { items } = await rig.client.tasks.resourceChanges({ params: { id } })
    expect(items.map(({ address, actions }) => `${actions} ${address}`).sort()).toEqual([
      'create terraform_data.a',
      'create terraform_data.b',
    ])
    await expect(rig.client.states.current({ params: { id: workspace } })).rejects.toMatchObject({ code: 'not_found' })
  })

  it('takes resources of the platform, provider_config and variables of both kinds', async () => {
    const workspace = await rig.workspace('variable "n" { type = number }\nlocals { n = var.n + 1 }', {
      provider_config: { output: { seen: { value: `\${local.n}` } } },
    })
    await rig.setVariable(workspace, 'n', '41', { hcl: true })
    await rig.setVariable(workspace, 'TF_VAR_unused', 'x', { category: 'environment' })
    const body = { resource_type: 'terraform_data', resource_name: 'from_api', tf_code: { input: `\${local.n}` } }
    await rig.client.resources.create({ params: { id: workspace }, body })
    await rig.apply(workspace)
    const { outputs } = await rig.client.states.outputs({ params: { id: workspace } })
    expect(outputs.seen?.value).toBe(42)
    expect(await rig.addresses(workspace)).toEqual(['terraform_data.from_api'])
  })
})

describe('plan_and_apply', () => {
  it('waits for a confirmation, applies exactly that plan and stores the state', async () => {
    const workspace = await rig.workspace(two('one'))
    const id = await rig.queue(workspace, 'plan_and_apply')
    const planned = await rig.reached(id, 'apply_pending')
    expect(planned.pending_reason?.code).toBe('awaiting_confirmation')
    await rig.client.workspaces.update({ params: { id: workspace }, body: { tf_code: two('another') } })
    await rig.confirm(id)
    const task = await rig.reached(id, 'applied')
    expect(task.apply_output).toContain('Apply complete! Resources: 2 added, 0 changed, 0 destroyed.')
    expect(task.confirmed_by).toBeTruthy()
    const { outputs } = await rig.client.states.outputs({ params: { id: workspace } })
    expect(outputs.value?.value).toBe('one')
    const { items } = await rig.client.tasks.resourceChanges({ params: { id } })
    expect(items.map(({ progress }) => progress?.status)).toEqual(['complete', 'complete'])
    const states = await rig.client.states.list({ params: { id: workspace } })
    expect(states.items[0]).toMatchObject({ current: true, task_id: id })
  })

  it('ends as planned_and_finished when there is nothing to change', async () => {
    const workspace = await rig.workspace(two('one'))
    await rig.apply(workspace)
    const before = await rig.client.states.list({ params: { id: workspace } })
    const task = await rig.reached(await rig.queue(workspace, 'plan_and_apply'), 'planned_and_finished')
    expect(task.plan_output).toContain('No changes.')
    expect(await rig.client.states.list({ params: { id: workspace } })).toEqual(before)
  })

  it('is cancelled, and the workspace free again, when the plan is discarded', async () => {
    const workspace = await rig.workspace(two('one'))
    const id = await rig.queue(workspace, 'plan_and_apply')
    await rig.reached(id, 'apply_pending')
    await rig.client.tasks.discard({ params: { id } })
    await rig.reached(id, 'cancelled')
    await rig.apply(workspace)
  })

  it('applies by itself under auto_apply', async () => {
    const workspace = await rig.workspace(two('one'), { auto_apply: true })
    await rig.reached(await rig.queue(workspace, 'plan_and_apply'), 'applied')
  })

  it('keeps in the state what succeeded before the apply failed', async () => {
    const workspace = await rig.workspace(`
      resource "terraform_data" "good" {}
      resource "terraform_data" "bad" {
        depends_on = [terraform_data.good]
        provisioner "local-exec" { command = "echo no such luck; exit 7" }
      }`)
    const id = await rig.queue(workspace, 'plan_and_apply')
    await rig.reached(id, 'apply_pending')
    await rig.confirm(id)
    const task = await rig.reached(id, 'failed')
    expect(task).toMatchObject({ error_code: 'apply_failed' })
    expect(await rig.log(id, 'apply')).toContain('no such luck')
    expect(await rig.addresses(workspace)).toContain('terraform_data.good')
  })
})

describe('destroy', () => {
  it('plans the destruction, and after a confirmation leaves an empty state', async () => {
    const workspace = await rig.workspace(two('one'))
    await rig.apply(workspace)
    const task = await rig.apply(workspace, 'destroy')
    expect(task).toMatchObject({ changes_destroy: 2 })
    expect(task.apply_output).toContain('2 destroyed')
    expect(await rig.addresses(workspace)).toEqual([])
  })
})

describe('a configuration that terraform refuses', () => {
  it("fails the task with the code and terraform's own words", async () => {
    const workspace = await rig.workspace('resource "terraform_data" {')
    const id = await rig.queue(workspace, 'plan')
    const task = await rig.reached(id, 'failed')
    expect(task.error_code).toBe('configuration_invalid')
    expect(await rig.log(id, 'plan')).toContain('Error:')
  })

  it('fails the task naming the variable that has no value', async () => {
    const workspace = await rig.workspace('variable "region" {}\noutput "r" { value = var.region }')
    const task = await rig.reached(await rig.queue(workspace, 'plan'), 'failed')
    expect(task.error_code).toBe('missing_variable')
    expect(task.error_message).toContain('region')
  })
})

it('all of it leaves nothing in the logs of either program that would worry a person', () => {
  const records = [agent, rig.server].flatMap(({ child }) => child.log.records)
  expect(records.length).toBeGreaterThan(0)
  expect(records.filter(({ level }) => level !== 'info')).toEqual([])
})
