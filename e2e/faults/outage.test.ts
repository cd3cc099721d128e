import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  eventually,
  layOutTestProvider,
  type RunningAgent,
  type TemporaryDirectory,
  type TestProvider,
  temporaryDirectory,
} from '@iac-agent/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Rig } from '../rig.js'
import { nothingLeft } from './leftovers.js'
import { byLength, lasting, leaseMs, scaledServer } from './lengths.js'
import { type LoneAgent, loneAgent } from './lone-agent.js'
import { applying, counting, expectWhole, outputOf } from './ticking-apply.js'

/** Five leases, or ten minutes. */
const outageMs = byLength({ short: 5 * leaseMs, long: 600_000 })
/** More than a lease. */
const stopMs = byLength({ short: 2 * leaseMs, long: 90_000 })
const patient = { timeoutMs: 90_000 }
const ticks = 8

let mirror: TemporaryDirectory
let provider: TestProvider
beforeAll(async () => {
  mirror = await temporaryDirectory('mirror')
  provider = await layOutTestProvider(mirror.path)
})
afterAll(async () => await mirror[Symbol.asyncDispose]())

describe.concurrent('an outage', { timeout: outageMs + 240_000 }, () => {
  it('of the agent for many leases makes its apply unreachable, ends it nowhere else, and then it goes on', async () => {
    await using rig = await Rig.start({ args: scaledServer })
    await using agent = await loneAgent(rig)
    const { id } = await applying(rig, agent, counting(ticks))
    await agent.stop('SIGKILL')
    await lasting(outageMs)
    expect(await outputOf(agent)).toContain(`tick ${ticks} of ${ticks}`)
    const away = await rig.task(id)
    expect(away).toMatchObject({ status: 'running', attempt: 2, unreachable_since: expect.any(String) })
    await agent.start()
    expect(await rig.reached(id, 'applied', patient)).toMatchObject({ unreachable_since: null })
    await expectWhole(rig, id, ticks)
    await nothingLeft(agent)
  })

  it('of the server lets five tasks end on their agents, and all are complete soon after it returns', async () => {
    await using rig = await Rig.start({ args: scaledServer })
    await using planner = await planningAgent(rig)
    await using first = await loneAgent(rig)
    await using second = await loneAgent(rig)
    const plans = await Promise.all(['a', 'b', 'c'].map((name) => planning(rig, planner, name, 8_000)))
    const applies = await Promise.all([first, second].map((agent) => applying(rig, agent, counting(ticks))))
    for (const id of plans) expect(await rig.task(id)).toMatchObject({ status: 'running' })
    await rig.server.stop('SIGKILL')
    const stoppedAt = performance.now()
    await outcomesOn(
      planner,
      plans.map((id) => `${id}-1`),
    )
    for (const [index, agent] of [first, second].entries()) await outcomesOn(agent, [`${applies[index]?.id}-2`])
    await lasting(outageMs - (performance.now() - stoppedAt))
    await rig.server.start()
    for (const id of plans) expect(await rig.reached(id, 'success', patient)).toMatchObject({ attempt: 1 })
    for (const { id, workspace } of applies) {
      await rig.reached(id, 'applied', patient)
      await expectWhole(rig, id, ticks)
      expect(await rig.addresses(workspace)).toEqual(['terraform_data.first', 'terraform_data.slow'])
    }
    for (const agent of [planner, first, second]) await nothingLeft(agent)
  })

  it('of a server that is stopped, not dead, ends no lease: plan and apply end as the attempts they were', async () => {
    await using rig = await Rig.start({ args: scaledServer })
    await using planner = await planningAgent(rig)
    await using agent = await loneAgent(rig)
    const { id } = await applying(rig, agent, counting(ticks))
    const plan = await planning(rig, planner, 'stopped', stopMs + 5_000)
    process.kill(rig.server.child.pid, 'SIGSTOP')
    await lasting(stopMs)
    process.kill(rig.server.child.pid, 'SIGCONT')
    expect(await rig.reached(id, 'applied', patient)).toMatchObject({ attempt: 2 })
    expect(await rig.reached(plan, 'success', patient)).toMatchObject({ attempt: 1 })
    await expectWhole(rig, id, ticks)
    expect(rig.server.child.log.records.filter(({ msg }) => msg === 'lease over')).toEqual([])
  })
})

function planningAgent(rig: Rig): Promise<LoneAgent> {
  return loneAgent(rig, { args: ['--terraform-cli-config', provider.cliConfigFile] })
}

/** A plan that is at work, for so long. */
async function planning(rig: Rig, { poolId }: LoneAgent, name: string, delayMs: number): Promise<number> {
  const object = `resource "cloud_object" "o" {\n name = "${name}"\n plan_delay_ms = ${delayMs}\n}`
  const workspace = await rig.workspace(`${provider.configurationHead}\n${object}`, { pool_id: poolId })
  const id = await rig.queue(workspace, 'plan')
  await rig.taskWhen(id, 'planning', ({ stage }) => stage === 'planning')
  return id
}

/** Resolves when these attempts (`<task>-<attempt>`) have come to their outcome, delivered or not. */
async function outcomesOn({ dataDir }: RunningAgent, names: readonly string[]): Promise<void> {
  const hasOutcome = async (name: string) =>
    (await readFile(join(dataDir, 'attempts', name, 'journal.jsonl'), 'utf8')).includes('"fact":"outcome"')
  for (const name of names) await eventually(`outcome of ${name}`, () => hasOutcome(name), { timeoutMs: outageMs })
}
