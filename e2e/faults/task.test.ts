import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { eventually, temporaryDirectory } from '@iac-agent/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Rig } from '../rig.js'

let rig: Rig
beforeAll(async () => {
  rig = await Rig.start()
  await rig.addAgent({ args: ['--terraform-releases-url', 'http://127.0.0.1:9'] })
})
afterAll(async () => await rig[Symbol.asyncDispose]())

describe('a task fails with code and sentence when', () => {
  it('init cannot fetch a module', async () => {
    const task = await failed('module "net" {\n  source = "git::file:///nowhere/net.git"\n}\n')
    expect(task.error_code).toBe('init_failed')
    expect(task.error_message).toContain('/nowhere/net.git')
  })

  it('plan fails half-way', async () => {
    const code = `
      resource "terraform_data" "a" {
        lifecycle {
          precondition {
            condition     = length(path.module) > 100
            error_message = "This path is too short."
          }
        }
      }`
    const task = await failed(code)
    expect(task.error_code).toBe('plan_failed')
    expect(task.error_message).toContain('This path is too short.')
  })

  it('the configuration keeps its state in a backend of its own and the workspace has none', async () => {
    const tree = { 'main.tf': 'terraform {\n  backend "local" {}\n}\nresource "terraform_data" "a" {}\n' }
    const task = await failed(tree)
    expect(task.error_code).toBe('state_not_imported')
    expect(task.error_message).toContain('main.tf line 2')
    expect(task.error_message).toContain('accept_empty_state')
  })

  it('it would apply by itself a configuration that refers to terraform.workspace', async () => {
    const task = await failed({ 'main.tf': 'output "w" {\n  value = terraform.workspace\n}\n' }, { auto_apply: true })
    expect(task.error_code).toBe('cli_workspace_used')
    expect(task.error_message).toContain('main.tf line 2')
  })

  it('no terraform of the wanted version is to be had', async () => {
    const task = await failed('output "a" {\n  value = 1\n}\n', { terraform_version: '~> 0.1.0' })
    expect(task.error_code).toBe('terraform_version_unavailable')
    expect(task.error_message).toContain('http://127.0.0.1:9/terraform/index.json cannot be reached')
  })
})

it('goes on while the server is away for 30 seconds, and then everything is there', async () => {
  await using folder = await temporaryDirectory('ticks')
  const ticks = join(folder.path, 'ticks')
  const id = await rig.queue(await rig.workspace(counting(ticks, 34)), 'plan_and_apply')
  await rig.reached(id, 'apply_pending')
  await rig.confirm(id)
  await rig.taskWhen(id, 'applying', ({ apply_output }) => apply_output?.includes('tick 1 of') === true)
  await rig.server.stop('SIGTERM')
  await eventually('30 s of run without a server', async () => Number(await readFile(ticks, 'utf8')) >= 32, {
    timeoutMs: 60_000,
  })
  await rig.server.start()
  const task = await rig.reached(id, 'applied')
  expect(task.attempt).toBe(2)
  const log = await rig.log(id, 'apply')
  expect(log.match(/tick \d+ of 34$/gm)).toEqual(Array.from({ length: 34 }, (_, index) => `tick ${index + 1} of 34`))
})

/** A plan_and_apply of this configuration, once it has failed. */
async function failed(...workspace: Parameters<Rig['workspace']>) {
  return await rig.reached(await rig.queue(await rig.workspace(...workspace), 'plan_and_apply'), 'failed')
}

/** One resource that prints a line a second and leaves the number of the last one in a file. */
function counting(file: string, seconds: number): string {
  return `
    resource "terraform_data" "slow" {
      provisioner "local-exec" {
        command = "i=1; while [ $i -le ${seconds} ]; do echo tick $i of ${seconds}; echo $i >${file}; sleep 1; i=$((i+1)); done"
      }
    }`
}
