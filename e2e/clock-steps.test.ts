import { join } from 'node:path'
import {
  clockOffset,
  eventually,
  fakeConfiguration,
  layOutFakeTerraform,
  printedText,
  readOracle,
  type TemporaryDirectory,
  temporaryDirectory,
} from '@iac-agent/testkit'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Rig } from './rig.js'

const tenMinutes = 600_000

let home: TemporaryDirectory
let terraformPath: string
let oracleFile: string

beforeAll(async () => {
  home = await temporaryDirectory('clock')
  oracleFile = join(home.path, 'oracle')
  terraformPath = await layOutFakeTerraform(home.path, { oracleFile })
})
afterAll(async () => await home[Symbol.asyncDispose]())

it('goes on with what runs while the clocks of server and agent are set forward and back', async () => {
  const [servers, agents] = [clockOffset(join(home.path, 'a')), clockOffset(join(home.path, 'b'))]
  await using rig = await Rig.start({ env: servers.env })
  await rig.addAgent({ args: ['--terraform-path', terraformPath], env: agents.env })
  const script = { planLines: 0, lines: 400, linePauseMs: 20, resources: 8 }
  const workspace = await rig.workspace(fakeConfiguration(script), { auto_apply: true })
  const id = await rig.queue(workspace, 'plan_and_apply')
  for (const [resources, ms] of [-tenMinutes, tenMinutes, -tenMinutes, 0].entries()) {
    await eventually('a resource', async () => (await completed(id)) > resources, { timeoutMs: 60_000 })
    await servers.set(ms)
    await agents.set(-ms)
  }
  expect(await rig.reached(id, 'applied')).toMatchObject({ attempt: 2, changes_add: 8 })
  const records = await readOracle(oracleFile)
  expect(await rig.log(id, 'apply')).toBe(printedText(records, `${id}-2`))
  expect(await completed(id)).toBe(8)
})

it('gives up a dead agent as soon as ever when the clock of the server was set back', async () => {
  const clock = clockOffset(join(home.path, 'c'))
  await using rig = await Rig.start({ env: clock.env, args: ['--lease-ttl', '10s'] })
  const agent = await rig.addAgent({ args: ['--terraform-path', terraformPath] })
  const workspace = await rig.workspace(fakeConfiguration({ stubborn: 'plan' }))
  const id = await rig.queue(workspace, 'plan')
  await eventually('terraform', async () => (await rig.task(id)).plan_output?.includes('hangs'))
  await agent.stop('SIGKILL')
  await clock.set(-tenMinutes)
  await rig.taskWhen(id, 'waiting again', ({ status }) => status === 'pending')
  await agent.start()
  await rig.client.tasks.cancel({ params: { id }, body: {} })
  await rig.reached(id, 'cancelled')
})

it('kills a cancelled plan after its grace when the clock of the agent was set back', async () => {
  const clock = clockOffset(join(home.path, 'd'))
  await using rig = await Rig.start()
  await rig.addAgent({ args: ['--terraform-path', terraformPath, '--cancel-grace', '5s'], env: clock.env })
  const id = await rig.queue(await rig.workspace(fakeConfiguration({ stubborn: 'plan' })), 'plan')
  await eventually('terraform', async () => (await rig.task(id)).plan_output?.includes('hangs'))
  await rig.client.tasks.cancel({ params: { id }, body: {} })
  await eventually('its word', async () => (await rig.task(id)).plan_output?.includes('Interrupt received'))
  await clock.set(-tenMinutes)
  await rig.reached(id, 'cancelled')
})

/** How many resources the apply of a task has made, by the oracle. */
async function completed(id: number): Promise<number> {
  const records = await readOracle(oracleFile)
  return records.filter(({ kind, attempt }) => kind === 'complete' && attempt === `${id}-2`).length
}
