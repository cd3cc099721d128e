import { symlink } from 'node:fs/promises'
import { join } from 'node:path'
import {
  eventually,
  type FakeServer,
  type FakeTask,
  type FakeTaskInput,
  packTree,
  startFakeServer,
  temporaryDirectory,
} from '@iac-agent/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startDaemon, type TestDaemon } from '../_util/daemon.js'

let server: FakeServer
let daemon: TestDaemon
beforeAll(async () => {
  server = await startFakeServer()
  daemon = await startDaemon({ server, flags: { terraformReleasesUrl: 'http://127.0.0.1:9' } })
  await server.message('heartbeat')
})
afterAll(async () => {
  await daemon[Symbol.asyncDispose]()
  await server[Symbol.asyncDispose]()
})

async function run(input: FakeTaskInput, on: FakeServer = server): Promise<FakeTask> {
  const task = on.addTask(input)
  on.offer(task)
  await eventually(`end of task ${task.id}`, () => task.finalStatus)
  return task
}

const failing: [string, FakeTaskInput['workspace'] & object, string, RegExp][] = [
  [
    'invalid HCL',
    { tf_code: 'resource "terraform_data" "a" {' },
    'configuration_invalid',
    /Unclosed configuration block/,
  ],
  [
    'an argument that does not exist',
    { tf_code: { resource: { terraform_data: { a: { nope: 1 } } } } },
    'configuration_invalid',
    /nope/,
  ],
  ['a missing variable', { tf_code: { variable: { region: {} } } }, 'missing_variable', /"region" is not set/],
  [
    'a provider that cannot be installed',
    {
      tf_code: {
        terraform: { required_providers: { x: { source: 'nowhere.invalid/a/x' } } },
        resource: { x_y: { a: {} } },
      },
    },
    'provider_unavailable',
    /nowhere\.invalid\/a\/x/,
  ],
  [
    'a version that is not to be had',
    { terraform_version: '0.99.0', tf_code: {} },
    'terraform_version_unavailable',
    /0\.99\.0/,
  ],
  ['an engine that is not there', { engine: 'tofu', tf_code: {} }, 'terraform_not_found', /tofu/],
  [
    'a configuration that wants another terraform',
    { tf_code: { terraform: { required_version: '>= 99.0' } } },
    'terraform_version_unavailable',
    /does not support Terraform version/,
  ],
  [
    'a backend of its own without a state',
    { tf_code: 'terraform {\n  backend "s3" {}\n}\n' },
    'state_not_imported',
    /line 2 names a backend of its own.*import the state.*accept_empty_state/,
  ],
  [
    'terraform.workspace under auto_apply',
    { tf_code: 'output "w" {\n  value = terraform.workspace\n}\n', auto_apply: true },
    'cli_workspace_used',
    /line 2 refers to terraform\.workspace/,
  ],
  [
    'a plan that fails half-way',
    { tf_code: { output: { x: { value: `\${file("/no/such/file")}` } } } },
    'configuration_invalid',
    /Error in function call|Invalid function argument/,
  ],
]

it.each(failing)(
  'fails a task with %s by its code and one sentence, which is in the log too',
  async (_, workspace, code, sentence) => {
    const task = await run({ workspace })
    expect(task.finalStatus).toMatchObject({ status: 'failed', stage: 'completed', error_code: code })
    expect(task.finalStatus?.error_message).toMatch(sentence)
    expect(task.finalStatus?.error_message).not.toContain('\n')
    expect(task.log.toString()).toMatch(/Error: /)
    expect(task.seals).toHaveLength(1)
  },
)

it('goes on with a warning when terraform.workspace is used and a person confirms', async () => {
  const task = await run({ workspace: { tf_code: 'output "w" {\n  value = terraform.workspace\n}\n' } })
  expect(task.finalStatus).toMatchObject({ status: 'success' })
  expect(task.log.toString()).toMatch(/Warning: .+ line 2 refers to terraform\.workspace/)
})

it('takes a configuration with a backend of its own when the workspace accepts an empty state', async () => {
  const workspace = { tf_code: 'terraform {\n  backend "s3" {}\n}\n', accept_empty_state: true }
  expect((await run({ workspace })).finalStatus).toMatchObject({ status: 'success' })
})

it('refuses a tree that reaches out of its directory', async () => {
  await using home = await temporaryDirectory('tree')
  await symlink('/etc/passwd', join(home.path, 'main.tf'))
  const task = await run({ configuration: await packTree(home.path) })
  expect(task.finalStatus).toMatchObject({ status: 'failed', error_code: 'configuration_unsafe' })
})

it('fails when the agent has no terraform at all', async () => {
  await using own = await startFakeServer()
  await using bare = await startDaemon({
    server: own,
    env: { PATH: '/nowhere' },
    flags: { terraformReleasesUrl: 'http://127.0.0.1:9' },
  })
  await own.message('heartbeat')
  const task = await run({ workspace: { tf_code: {} } }, own)
  expect(task.finalStatus).toMatchObject({ status: 'failed', error_code: 'terraform_not_found' })
  expect(await bare.status()).toMatchObject({ plan_running: 0 })
})

it('does not tell sensitive values in error messages', async () => {
  const task = await run({
    workspace: { tf_code: `variable "s" {}\noutput "x" {\n  value = file("/nowhere/\${var.s}")\n}\n` },
    variables: [{ key: 's', value: 'hush-hush', category: 'terraform', sensitive: true, hcl: false }],
  })
  expect(task.finalStatus?.status).toBe('failed')
  expect(JSON.stringify(task.finalStatus) + task.log.toString()).not.toContain('hush-hush')
})

describe('an apply that fails half-way', () => {
  it('keeps what succeeded in the state and says which error came first', async () => {
    const workspace = {
      workspace_id: 'ws-half',
      tf_code: {
        resource: {
          terraform_data: {
            good: {},
            bad: {
              depends_on: ['terraform_data.good'],
              provisioner: [{ 'local-exec': { command: 'echo broken; exit 3' } }],
            },
          },
        },
      },
    }
    const plan = await run({ taskType: 'plan_and_apply', workspace })
    if (!plan.plan) throw new Error('no plan')
    const apply = await run({ action: 'apply', workspace, plan: plan.plan })
    expect(apply.finalStatus).toMatchObject({ status: 'failed', error_code: 'apply_failed' })
    expect(apply.finalStatus?.error_message).toMatch(/local-exec provisioner error.*exit status 3/)
    expect(apply.states.at(-1)?.toString()).toContain('"name": "good"')
    expect(apply.resources.find(({ status }) => status === 'errored')).toMatchObject({ address: 'terraform_data.bad' })
  })
})
