import { type TemporaryDirectory, temporaryDirectory } from '@iac-agent/testkit'
import { execa } from 'execa'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Rig, writeTree } from './rig.js'

let rig: Rig
let repository: TemporaryDirectory

beforeAll(async () => {
  repository = await temporaryDirectory('module')
  await writeTree(repository.path, {
    'main.tf':
      'variable "name" {}\nresource "terraform_data" "inner" { input = var.name }\noutput "name" { value = terraform_data.inner.output }\n',
  })
  const git = (...args: string[]) =>
    execa('git', ['-C', repository.path, '-c', 'user.name=t', '-c', 'user.email=t@example.test', ...args])
  await git('init', '-q')
  await git('add', '.')
  await git('commit', '-q', '-m', 'module')
  rig = await Rig.start()
  await rig.addAgent()
})
afterAll(async () => {
  await rig[Symbol.asyncDispose]()
  await repository[Symbol.asyncDispose]()
})

it('runs in the working directory of an uploaded tree, with modules beside it and from a git repository', async () => {
  const workspace = await rig.workspace(
    {
      'live/prod/main.tf': `
        module "local" {
          source = "../../modules/greeting"
        }
        module "git" {
          source = "git::file://${repository.path}"
          name   = module.local.text
        }
        output "text" { value = module.git.name }`,
      'modules/greeting/main.tf': `output "text" { value = file("\${path.module}/words.txt") }`,
      'modules/greeting/words.txt': 'good morning',
    },
    { working_directory: 'live/prod' },
  )
  await rig.apply(workspace)
  const { outputs } = await rig.client.states.outputs({ params: { id: workspace } })
  expect(outputs.text?.value).toBe('good morning')
})

it('plans the destruction of what a second upload leaves out', async () => {
  const kept = 'resource "terraform_data" "kept" {}'
  const workspace = await rig.workspace({ 'kept.tf': kept, 'gone.tf': 'resource "terraform_data" "gone" {}' })
  await rig.apply(workspace)
  expect(await rig.addresses(workspace)).toEqual(['terraform_data.gone', 'terraform_data.kept'])
  await rig.upload(workspace, { 'kept.tf': kept })
  const task = await rig.apply(workspace)
  expect(task).toMatchObject({ changes_add: 0, changes_destroy: 1 })
  expect(task.plan_output).toContain('terraform_data.gone will be destroyed')
  expect(await rig.addresses(workspace)).toEqual(['terraform_data.kept'])
})
