import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { createServer } from 'node:net'
import { eventually, runCommandIdentity } from '@iac-agent/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Rig } from '../rig.js'
import { nothingLeft } from './leftovers.js'
import { byLength, lasting } from './lengths.js'
import { type LoneAgent, loneAgent } from './lone-agent.js'
import { applying, backendPort, counting, expectWhole, outputOf } from './ticking-apply.js'

/** How long nobody looks after terraform, and for how many seconds it ticks. */
const away = byLength({ short: { ms: 2_000, ticks: 9 }, long: { ms: 20_000, ticks: 30 } })
const deaths = byLength({ short: { count: 10, ticks: 12 }, long: { count: 50, ticks: 90 } })

let rig: Rig
beforeAll(async () => {
  rig = await Rig.start()
})
afterAll(async () => await rig[Symbol.asyncDispose]())

describe.concurrent('an agent that died in mid-apply', { timeout: 300_000 }, () => {
  it('finds the same terraform when it is back, serves its state on the same port, and tells how it ended', async () => {
    await using agent = await loneAgent(rig)
    const { id, run } = await applying(rig, agent, counting(away.ticks))
    await agent.stop('SIGKILL')
    const [before, port] = [await runCommandIdentity(run), await backendPort(agent)]
    await lasting(away.ms)
    await startAndAdopt(agent)
    expect(await runCommandIdentity(run)).toBe(before)
    const answer = await eventually('the backend is back', () => fetch(`http://127.0.0.1:${port}/state`))
    expect(answer.status).toBe(503)
    await rig.reached(id, 'applied')
    await expectWhole(rig, id, away.ticks)
    await nothingLeft(agent)
  })

  it('waits for the port that terraform knows when somebody else has it meanwhile', async () => {
    await using agent = await loneAgent(rig)
    const { id } = await applying(rig, agent, counting(6))
    await agent.stop('SIGKILL')
    const squatter = createServer().listen(await backendPort(agent), '127.0.0.1')
    await once(squatter, 'listening')
    await agent.start()
    await agent.child.waitForLine('terraform waits for its state backend')
    squatter.close()
    await rig.reached(id, 'applied')
    await expectWhole(rig, id, 6)
    await nothingLeft(agent)
  })

  it('tells the true exit code of what failed while nobody looked', async () => {
    await using agent = await loneAgent(rig)
    const { id, run } = await applying(rig, agent, counting(3, '; exit 7'))
    await agent.stop('SIGKILL')
    await eventually('the last tick', async () => (await outputOf(agent)).includes('tick 3 of 3'))
    await agent.start()
    const task = await rig.reached(id, 'failed')
    expect(task.error_code).toBe('apply_failed')
    expect(task.error_message).toContain('exit status 7')
    await expectWhole(rig, id, 3)
    await eventually('nothing of the run', async () => !(await exists(run)))
  })

  it('can cancel what it adopted, by one interrupt', async () => {
    await using agent = await loneAgent(rig)
    const { id, workspace } = await applying(rig, agent, counting(60))
    await agent.stop('SIGKILL')
    await agent.start()
    await rig.client.tasks.cancel({ params: { id } })
    const task = await rig.reached(id, 'cancelled')
    expect(task.apply_output?.match(/Interrupt received/g)).toHaveLength(1)
    expect(await rig.addresses(workspace)).toContain('terraform_data.first')
    await nothingLeft(agent)
  })

  it('interrupts what was cancelled though it died just before it could', async () => {
    await using agent = await loneAgent(rig, { env: { IAC_CRASH_POINT: 'cancel.interrupt.intended' } })
    const { id } = await applying(rig, agent, counting(60))
    await rig.client.tasks.cancel({ params: { id } })
    expect(await agent.child.exited).toEqual({ code: null, signal: 'SIGKILL' })
    await agent.start({ env: {} })
    const task = await rig.reached(id, 'cancelled')
    expect(task.apply_output?.match(/Interrupt received/g)).toHaveLength(1)
  })

  it('loses and doubles no line through many deaths in one apply', async () => {
    await using agent = await loneAgent(rig)
    const { id, run } = await applying(rig, agent, counting(deaths.ticks))
    const before = await runCommandIdentity(run)
    for (let death = 0; death < deaths.count; death++) {
      await agent.stop('SIGKILL')
      await agent.start()
    }
    expect(await runCommandIdentity(run)).toBe(before)
    await rig.reached(id, 'applied', { timeoutMs: 180_000 })
    await expectWhole(rig, id, deaths.ticks)
    await nothingLeft(agent)
  })

  it('or was upgraded by two signals goes on with it: exit code 6, then nothing is missing', async () => {
    await using agent = await loneAgent(rig)
    const { id } = await applying(rig, agent, counting(6))
    process.kill(agent.child.pid, 'SIGTERM')
    await agent.child.waitForLine('stop requested')
    expect(await agent.stop('SIGINT')).toEqual({ code: 6, signal: null })
    expect((await rig.task(id)).status).toBe('running')
    await agent.start()
    const task = await rig.reached(id, 'applied')
    expect(task.apply_output).not.toContain('Interrupt')
    await expectWhole(rig, id, 6)
    await nothingLeft(agent)
  })
})

it('loses nothing when agent and server die together in mid-apply', { timeout: 180_000 }, async () => {
  await using both = await Rig.start()
  await using agent = await loneAgent(both)
  const { id } = await applying(both, agent, counting(away.ticks))
  await Promise.all([agent.stop('SIGKILL'), both.server.stop('SIGKILL')])
  await lasting(away.ms)
  await Promise.all([startAndAdopt(agent), both.server.start()])
  await both.reached(id, 'applied')
  await expectWhole(both, id, away.ticks)
  await nothingLeft(agent)
})

/** Starts it again; what it left behind is adopted within 2 s of the start. */
async function startAndAdopt(agent: LoneAgent): Promise<void> {
  const startedAt = Date.now()
  await agent.start()
  const adopted = agent.child.log.records.find(({ judgement }) => judgement === 'adopt')
  expect(Date.parse(String(adopted?.time)) - startedAt).toBeLessThan(2_000)
}

function exists(link: string): Promise<boolean> {
  return readdir(link).then(
    () => true,
    () => false,
  )
}
