import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import {
  eventually,
  layOutTestProvider,
  type TemporaryDirectory,
  type TestProvider,
  temporaryDirectory,
} from '../src/index.js'

let mirror: TemporaryDirectory
let provider: TestProvider

beforeAll(async () => {
  mirror = await temporaryDirectory('provider')
  provider = await layOutTestProvider(mirror.path)
})
afterEach(async () => await provider.clear())
afterAll(async () => await mirror[Symbol.asyncDispose]())

it('is installed from its mirror and creates, changes, replaces and destroys', async () => {
  await using work = await workDirectory('resource "cloud_object" "a" {\n name = "one"\n content = "first"\n}')
  await work.terraform('apply', '-auto-approve')
  expect(await provider.objects()).toMatchObject([{ name: 'one', content: 'first', ready: true }])
  const [{ id } = { id: '' }] = await provider.objects()

  await work.write('resource "cloud_object" "a" {\n name = "one"\n content = "second"\n}')
  expect((await work.terraform('apply', '-auto-approve')).stdout).toContain('1 changed')
  expect(await provider.objects()).toMatchObject([{ id, content: 'second' }])
  expect((await work.terraform('plan', '-detailed-exitcode')).exitCode).toBe(0)

  await work.write('resource "cloud_object" "a" {\n name = "two"\n}')
  expect((await work.terraform('plan', '-detailed-exitcode')).stdout).toContain('forces replacement')
  await work.terraform('apply', '-auto-approve')
  expect(await provider.objects()).toMatchObject([{ name: 'two' }])
  await work.terraform('destroy', '-auto-approve')
  expect(await provider.objects()).toEqual([])
})

it('fails a creation with its sentence and keeps the object in the cloud', async () => {
  await using work = await workDirectory(
    'resource "cloud_object" "a" {\n name = "bad"\n fail_create = "quota exceeded"\n}',
  )
  const run = await work.terraform('apply', '-auto-approve')
  expect(run.exitCode).toBe(1)
  expect(run.stderr).toContain('quota exceeded')
  expect(await provider.objects()).toMatchObject([{ name: 'bad', ready: false }])
})

it('ends in the middle of a creation when told to crash', async () => {
  await using work = await workDirectory('resource "cloud_object" "a" {\n name = "lost"\n crash = true\n}')
  const run = await work.terraform('apply', '-auto-approve')
  // terraform notices either the lost process or its cancelled call first
  expect(run.stderr).toMatch(/Plugin did not respond|request was cancelled/)
})

it.each([
  { onStop: 'ignore', inState: 1 },
  { onStop: 'abort', inState: 0 },
])('takes an interrupt of terraform by on_stop = $onStop', async ({ onStop, inState }) => {
  await using work = await workDirectory(
    `resource "cloud_object" "a" {\n name = "slow"\n delay_ms = 1500\n on_stop = "${onStop}"\n}`,
  )
  const run = work.terraform('apply', '-auto-approve')
  await eventually('the object is being created', async () => (await provider.objects()).length === 1)
  run.kill('SIGINT')
  expect((await run).exitCode).toBe(1)
  expect(await provider.objects()).toHaveLength(1)
  expect((await work.terraform('state', 'list')).stdout.split('\n').filter(Boolean)).toHaveLength(inState)
})

it('is imported with its content, and then has no changes', async () => {
  await using lost = await workDirectory(
    'resource "cloud_object" "a" {\n name = "one"\n content = "first"\n fail_create = "lost"\n}',
  )
  await lost.terraform('apply', '-auto-approve')
  const [{ id } = { id: '' }] = await provider.objects()
  const named = 'resource "cloud_object" "a" {\n name = "one"\n content = "first"\n}\n'
  await using work = await workDirectory(`${named}import {\n to = cloud_object.a\n id = "${id}"\n}`)
  const imported = '1 imported, 0 added, 0 changed, 0 destroyed'
  expect((await work.terraform('apply', '-auto-approve', '-no-color')).stdout).toContain(imported)
  expect((await work.terraform('plan', '-detailed-exitcode')).exitCode).toBe(0)
  expect(await provider.objects()).toMatchObject([{ id, name: 'one' }])

  await work.write(
    `${named}resource "cloud_object" "b" {\n name = "b"\n}\nimport {\n to = cloud_object.b\n id = "none"\n}`,
  )
  expect((await work.terraform('plan', '-no-color')).stderr).toContain('there is no object none to import')
})

async function workDirectory(configuration: string) {
  const directory = await temporaryDirectory('work')
  const terraform = (...args: string[]) =>
    execa('terraform', args, {
      cwd: directory.path,
      env: { TF_CLI_CONFIG_FILE: provider.cliConfigFile, TF_IN_AUTOMATION: '1' },
      reject: false,
      stdin: 'ignore',
    })
  const write = (text: string) => writeFile(join(directory.path, 'main.tf'), `${provider.configurationHead}\n${text}\n`)
  await write(configuration)
  const init = await terraform('init', '-input=false', '-no-color')
  expect(init.stderr).toBe('')
  return { ...directory, terraform, write }
}
