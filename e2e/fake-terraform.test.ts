import { join } from 'node:path'
import {
  eventually,
  fakeConfiguration,
  layOutFakeTerraform,
  printedText,
  type RunningAgent,
  readOracle,
  type TemporaryDirectory,
  temporaryDirectory,
} from '@iac-agent/testkit'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Rig } from './rig.js'

const secret = 'correct horse battery staple'

let rig: Rig
let agent: RunningAgent
let home: TemporaryDirectory
let oracleFile: string

beforeAll(async () => {
  rig = await Rig.start()
  home = await temporaryDirectory('fake-terraform')
  oracleFile = join(home.path, 'oracle.jsonl')
  const program = await layOutFakeTerraform(home.path, { oracleFile })
  agent = await rig.addAgent({ args: ['--terraform-path', program] })
})
afterAll(async () => {
  await rig[Symbol.asyncDispose]()
  await home[Symbol.asyncDispose]()
})

it('stores of a fake run exactly what its oracle says', async () => {
  const workspace = await rig.workspace(fakeConfiguration({ lines: 50, resources: 3, secret: true }))
  await rig.setVariable(workspace, 'secret', secret, { sensitive: true })
  const task = await rig.apply(workspace)
  expect(task).toMatchObject({ changes_add: 3, changes_change: 0, changes_destroy: 0, error_code: null })
  await expectTold(task.id)
  const log = await rig.log(task.id, 'apply')
  expect(log).toContain('token=[redacted] ')
  expect(log).not.toContain('horse')
  expect(await ids(workspace)).toEqual(await completed(task.id))
  expect(await ids(workspace)).toHaveLength(3)

  const destroy = await rig.apply(workspace, 'destroy')
  expect(destroy).toMatchObject({ changes_add: 0, changes_destroy: 3 })
  await expectTold(destroy.id)
  expect(await ids(workspace)).toEqual([])
})

it('runs the real terraform on the same agent, with the init of the fake', async () => {
  const workspace = await rig.workspace('resource "terraform_data" "real" {}')
  const task = await rig.apply(workspace)
  expect(await rig.log(task.id, 'plan')).not.toMatch(/initializ/i)
  expect(await ids(workspace)).toHaveLength(1)
})

it('says why it failed', async () => {
  const workspace = await rig.workspace(fakeConfiguration({ resources: 2, fail: 'apply' }), { auto_apply: true })
  const id = await rig.queue(workspace, 'plan_and_apply')
  const task = await rig.reached(id, 'failed')
  expect(task).toMatchObject({ error_code: 'apply_failed' })
  expect(task.error_message).toContain('The fake terraform was told to fail')
  await expectTold(id)
  expect(await ids(workspace)).toEqual(await completed(id))
  expect(await ids(workspace)).toHaveLength(1)

  const bad = await rig.workspace(fakeConfiguration({ fail: 'plan' }))
  const plan = await rig.queue(bad, 'plan')
  expect(await rig.reached(plan, 'failed')).toMatchObject({ error_code: 'plan_failed' })
  expect(await rig.log(plan, 'plan')).toBe(printedText(await readOracle(oracleFile), `${plan}-1`))
})

it('stores it too when the agent is killed in mid-apply and the apply is cancelled', async () => {
  const script = { planLines: 0, lines: 1_000, linePauseMs: 20, resources: 20 }
  const workspace = await rig.workspace(fakeConfiguration(script), { auto_apply: true })
  const id = await rig.queue(workspace, 'plan_and_apply')
  await eventually('a resource', async () => (await completed(id)).length > 0, { timeoutMs: 60_000 })
  await agent.stop('SIGKILL')
  await agent.start()
  await rig.client.tasks.cancel({ params: { id }, body: {} })
  await rig.reached(id, 'cancelled')
  await expectTold(id)
  expect(await rig.log(id, 'apply')).toContain('\nInterrupt received.\n')
  expect(await ids(workspace)).toEqual(await completed(id))
})

/** Both logs are what the fake says it printed. */
async function expectTold(id: number): Promise<void> {
  const records = await readOracle(oracleFile)
  expect(await rig.log(id, 'plan')).toBe(printedText(records, `${id}-1`))
  expect(await rig.log(id, 'apply')).toBe(printedText(records, `${id}-2`))
}

/** Of what the task created, by the oracle. */
async function completed(id: number): Promise<string[]> {
  const records = await readOracle(oracleFile)
  return records.flatMap((one) => (one.kind === 'complete' && one.attempt === `${id}-2` ? [one.id ?? ''] : [])).sort()
}

/** Of the instances in the workspace's current state. */
async function ids(workspace: string): Promise<string[]> {
  const response = await rig.client.states.current({ params: { id: workspace } })
  const { resources } = (await response.json()) as { resources: { instances: { attributes: { id: string } }[] }[] }
  return resources.flatMap(({ instances }) => instances.map(({ attributes }) => attributes.id)).sort()
}
