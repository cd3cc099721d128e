import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  eventually,
  layOutTestProvider,
  type RunningAgent,
  runCommandIdentity,
  type TemporaryDirectory,
  type TestProvider,
  temporaryDirectory,
} from '@iac-agent/testkit'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { Rig } from '../rig.js'
import { nothingLeft } from './leftovers.js'

let rig: Rig
let mirror: TemporaryDirectory
let provider: TestProvider
let agent: RunningAgent

beforeAll(async () => {
  mirror = await temporaryDirectory('mirror')
  provider = await layOutTestProvider(mirror.path)
  rig = await Rig.start()
  agent = await rig.addAgent({ args: ['--terraform-cli-config', provider.cliConfigFile] })
})
afterEach(async () => await provider.clear())
afterAll(async () => {
  await rig[Symbol.asyncDispose]()
  await mirror[Symbol.asyncDispose]()
})

const killed = /^terraform apply was killed by SIGKILL, which this agent did not send\./
const kept = object('kept')
const many = object('many["a.b"]', 'for_each = toset(["a.b", "c\\"d", "$${e}"])\n name = each.key')
const slow = object('slow', 'delay_ms = 600000')

it('lists what a killed terraform created and could not record, as import blocks that adopt it', async () => {
  const workspace = await rig.workspace(code(kept))
  await rig.apply(workspace)
  const state = await stateOf(workspace)
  const id = await applying(workspace, code(kept, many, slow), ['a.b', 'c"d', `\${e}`], ['slow'])
  await killTerraform(id)
  const task = await rig.reached(id, 'failed')
  expect(task).toMatchObject({ error_code: 'killed', unrecorded_resources: { created: 3, may_exist: 1 } })
  expect(task.error_message).toMatch(killed)
  expect(task.error_message).toContain(
    ' 3 resources were created but are not in the state; 1 resource ' +
      `was being created and may exist without being in the state: see GET /api/v1/tasks/${id}/unrecorded-resources.`,
  )
  expect(await stateOf(workspace)).toEqual(state)
  await nothingLeft(agent)

  const { items } = await unrecorded(id)
  const orphans = (await orphansOf(workspace)).filter(({ ready }) => ready)
  const created = items.filter(({ certainty }) => certainty === 'created')
  expect(created.map((item) => item.id).sort()).toEqual(orphans.map((orphan) => orphan.id).sort())
  expect(items.filter(({ certainty }) => certainty === 'may_exist')).toMatchObject([
    { address: 'cloud_object.slow', id: null, import_block: null, note: expect.stringContaining('look for it') },
  ])

  const blocks = items.flatMap(({ import_block }) => import_block ?? [])
  const found = `import {\n to = cloud_object.slow\n id = "${await idOf('slow')}"\n}`
  await adopts(workspace, code(kept, many, object('slow'), ...blocks, found), 4)
})

it('lists the same when the agent died with it', async () => {
  const workspace = await rig.workspace(code(kept))
  const id = await applying(workspace, code(kept, slow), ['kept'], ['slow'])
  await agent.stop('SIGKILL')
  await killTerraform(id)
  await agent.start()
  const task = await rig.reached(id, 'failed')
  expect(task.unrecorded_resources).toEqual({ created: 1, may_exist: 1 })
  const { items } = await unrecorded(id)
  expect(items).toMatchObject([
    { address: 'cloud_object.kept', id: await idOf('kept'), certainty: 'created' },
    { address: 'cloud_object.slow', id: null, certainty: 'may_exist' },
  ])
  await nothingLeft(agent)
})

it('lists nothing when it was killed before it created anything', async () => {
  const workspace = await rig.workspace(code(kept))
  const id = await planned(workspace)
  await writeFile(provider.holdFile, '')
  await rig.confirm(id)
  await eventually('terraform applies', () => terraformOf(id))
  await killTerraform(id)
  await rm(provider.holdFile)
  const task = await rig.reached(id, 'failed')
  expect(task).toMatchObject({
    error_message: expect.stringMatching(killed) as string,
    unrecorded_resources: { created: 0, may_exist: 0 },
  })
  expect(await unrecorded(id)).toEqual({ created: 0, may_exist: 0, items: [] })
  expect(await provider.objects()).toEqual([])
})

it('lists what each of two killed applies created, and both can be adopted together', async () => {
  const workspace = await rig.workspace(code(kept))
  const first = await applying(workspace, code(kept, slow), ['kept'], ['slow'])
  await killTerraform(first)
  await rig.reached(first, 'failed')
  const foundOf = async (task: number) =>
    (await unrecorded(task)).items.flatMap(({ import_block }) => import_block ?? [])
  const second = await applying(
    workspace,
    code(kept, object('other'), slow, ...(await foundOf(first))),
    ['other'],
    ['slow'],
  )
  await killTerraform(second)
  await rig.reached(second, 'failed')
  expect((await unrecorded(second)).items).toMatchObject([{ id: await idOf('other') }, { certainty: 'may_exist' }])
  const blocks = [...(await foundOf(first)), ...(await foundOf(second))]
  const halfMade = (await orphansOf(workspace)).filter(({ ready }) => !ready)
  expect(halfMade).toHaveLength(2)
  const named = halfMade.map(
    (orphan, n) =>
      `${object(`slow${n}`, 'name = "slow"')}\nimport {\n to = cloud_object.slow${n}\n id = "${orphan.id}"\n}`,
  )
  await adopts(workspace, code(kept, object('other'), ...blocks, ...named), 4)
})

it('says before a forced cancel what may be lost, and afterwards what was', async () => {
  const workspace = await rig.workspace(code(kept))
  const id = await applying(workspace, code(kept, slow), ['kept'], ['slow'])
  const asked = await rig.client.tasks.cancel({ params: { id }, body: { force: true } })
  expect(asked.cancel?.may_lose).toContain('may come to exist without being in the state')
  const task = await rig.reached(id, 'cancelled')
  expect(task.error_message).toMatch(/^The apply was stopped by force, .* 1 resource was being created and may exist/)
  const { items } = await unrecorded(id)
  expect(items.at(-1)).toMatchObject({ address: 'cloud_object.slow', certainty: 'may_exist' })
  // terraform saves at the first interrupt; the second may be faster
  const found = [...(await idsInState(workspace)), ...items.flatMap((item) => item.id ?? [])]
  expect(found).toEqual([await idOf('kept')])
})

it('has nothing to list for an apply that fails by itself', async () => {
  const workspace = await rig.workspace(code(kept, object('bad', 'fail_create = "no quota"')))
  const id = await planned(workspace)
  await rig.confirm(id)
  const task = await rig.reached(id, 'failed')
  expect(task.error_message).toMatch(/^no quota/)
  expect(task.unrecorded_resources).toEqual({ created: 0, may_exist: 0 })
})

/** Each named as it is called unless told otherwise. */
function object(name: string, more = ''): string {
  const label = name.replace(/\[.*/, '')
  const named = /\bname =/.test(more) ? '' : ` name = "${label}"\n`
  return `resource "cloud_object" "${label}" {\n${named} ${more}\n}`
}

function code(...blocks: string[]): string {
  return [provider.configurationHead, ...blocks].join('\n')
}

async function planned(workspace: string): Promise<number> {
  const id = await rig.queue(workspace, 'plan_and_apply')
  await rig.reached(id, 'apply_pending')
  return id
}

/** An apply of `tf_code` that has completed objects of the names `done` and is busy with `busy`. */
async function applying(workspace: string, tf_code: string, done: string[], busy: string[]): Promise<number> {
  await rig.client.workspaces.update({ params: { id: workspace }, body: { tf_code } })
  const id = await planned(workspace)
  const before = new Set((await provider.objects()).map((one) => one.id))
  await rig.confirm(id)
  await eventually('the apply is in the middle', async () => {
    const names = (await provider.objects()).filter((one) => !before.has(one.id)).map(({ name }) => name)
    return names.length === done.length + busy.length && (await completedIn(id)) === done.length
  })
  return id
}

/** What terraform has told, whether anybody reads it or not. */
async function completedIn(id: number): Promise<number> {
  const output = await readFile(join(agent.dataDir, 'attempts', `${id}-2`, 'output'), 'utf8')
  return output.match(/"type":"apply_complete"/g)?.length ?? 0
}

async function killTerraform(id: number): Promise<void> {
  const [pid] = ((await terraformOf(id)) ?? '').split(':')
  process.kill(Number(pid), 'SIGKILL')
}

function terraformOf(id: number): Promise<string | undefined> {
  return runCommandIdentity(join(agent.dataDir, 'attempts', `${id}-2`, 'run', 'apply-1'))
}

function unrecorded(id: number) {
  return rig.client.tasks.unrecordedResources({ params: { id } })
}

async function stateOf(workspace: string): Promise<unknown> {
  return (await rig.client.states.current({ params: { id: workspace } })).json()
}

async function idsInState(workspace: string): Promise<string[]> {
  const found = JSON.stringify(await stateOf(workspace).catch(() => ({}))).matchAll(/"id":"([^"]+)"/g)
  return [...found].map(([, id = '']) => id)
}

async function orphansOf(workspace: string) {
  const recorded = new Set(await idsInState(workspace))
  return (await provider.objects()).filter(({ id }) => !recorded.has(id))
}

async function idOf(name: string): Promise<string> {
  const [found] = (await provider.objects()).filter((one) => one.name === name)
  return found?.id ?? `no object ${name}`
}

/** A task with this configuration imports `count` objects, adds none, and leaves none outside the state. */
async function adopts(workspace: string, tf_code: string, count: number): Promise<void> {
  const objects = (await provider.objects()).map(({ id }) => id)
  await rig.client.workspaces.update({ params: { id: workspace }, body: { tf_code } })
  const task = await rig.apply(workspace)
  expect(task.plan_output).toContain(`Plan: ${count} to import, 0 to add, 0 to change, 0 to destroy.`)
  expect(task.unrecorded_resources).toBeNull()
  expect((await provider.objects()).map(({ id }) => id).sort()).toEqual(objects.sort())
  expect((await idsInState(workspace)).sort()).toEqual(objects)
  await rig.reached(await rig.queue(workspace, 'plan_and_apply'), 'planned_and_finished')
}
