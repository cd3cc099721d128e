import { readdir, readFile, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { createPoolAndKey, eventually, type RunningAgent, startAgent } from '@iac-agent/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Rig } from '../rig.js'
import { nothingLeft } from './leftovers.js'

let rig: Rig
beforeAll(async () => {
  rig = await Rig.start()
})
afterAll(async () => await rig[Symbol.asyncDispose]())

describe.concurrent('an agent that died in mid-apply', () => {
  it('finds the same terraform when it is back, serves its state on the same port, and tells how it ended', async () => {
    await using agent = await agentOfItsOwn(rig)
    const { id, run } = await applying(rig, agent, counting(9))
    await agent.stop('SIGKILL')
    const [before, port] = [await readlink(join(run, 'pid')), await backendPort(agent)]
    await eventually('terraform goes on alone', async () => (await outputOf(agent)).includes('tick 4 of 9'))
    const startedAt = performance.now()
    await agent.start()
    expect(agent.child.log.records).toContainEqual(expect.objectContaining({ judgement: 'adopt' }))
    expect(performance.now() - startedAt).toBeLessThan(5_000)
    expect(await readlink(join(run, 'pid'))).toBe(before)
    const answer = await eventually('the backend is back', () => fetch(`http://127.0.0.1:${port}/state`))
    expect(answer.status).toBe(401)
    await rig.reached(id, 'applied')
    await expectWhole(rig, id, 9)
    await nothingLeft(agent)
  })

  it('tells the true exit code of what failed while nobody looked', async () => {
    await using agent = await agentOfItsOwn(rig)
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
    await using agent = await agentOfItsOwn(rig)
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
    await using agent = await agentOfItsOwn(rig, { IAC_CRASH_POINT: 'cancel.interrupt.intended' })
    const { id } = await applying(rig, agent, counting(60))
    await rig.client.tasks.cancel({ params: { id } })
    expect(await agent.child.exited).toEqual({ code: null, signal: 'SIGKILL' })
    await agent.start({ env: {} })
    const task = await rig.reached(id, 'cancelled')
    expect(task.apply_output?.match(/Interrupt received/g)).toHaveLength(1)
  })

  it('loses and doubles no line through ten deaths in one apply', async () => {
    await using agent = await agentOfItsOwn(rig)
    const { id, run } = await applying(rig, agent, counting(12))
    const before = await readlink(join(run, 'pid'))
    for (let death = 0; death < 10; death++) {
      await agent.stop('SIGKILL')
      await agent.start()
    }
    expect(await readlink(join(run, 'pid'))).toBe(before)
    await rig.reached(id, 'applied')
    await expectWhole(rig, id, 12)
    await nothingLeft(agent)
  })

  it('or was upgraded by two signals goes on with it: exit code 6, then nothing is missing', async () => {
    await using agent = await agentOfItsOwn(rig)
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

it('loses nothing when agent and server die together in mid-apply', async () => {
  await using both = await Rig.start()
  const agent = await both.addAgent()
  const { id } = await applying(both, agent, counting(6))
  await Promise.all([agent.stop('SIGKILL'), both.server.stop('SIGKILL')])
  await eventually('terraform goes on alone', async () => (await outputOf(agent)).includes('tick 4 of 6'))
  await Promise.all([agent.start(), both.server.start()])
  await both.reached(id, 'applied')
  await expectWhole(both, id, 6)
  await nothingLeft(agent)
})

async function agentOfItsOwn(on: Rig, env: Record<string, string> = {}): Promise<RunningAgent & { poolId: string }> {
  const { poolId, key } = await createPoolAndKey(on.client, `pool-${++pools}`)
  return Object.assign(await startAgent({ server: on.server, key, env }), { poolId })
}
let pools = 0

/** An apply whose second tick is stored by the server. */
async function applying(on: Rig, agent: RunningAgent & { poolId?: string }, code: string) {
  const pool_id = agent.poolId ?? on.pool.poolId
  const workspace = await on.workspace(code, { pool_id, auto_apply: true })
  const id = await on.queue(workspace, 'plan_and_apply')
  await on.taskWhen(id, 'ticking', ({ apply_output }) => apply_output?.includes('tick 2 of') === true)
  const attempt = join(agent.dataDir, 'attempts', `${id}-2`)
  return { id, workspace, run: join(attempt, 'run', 'apply-1') }
}

/** The stored log is complete, with each tick once. */
async function expectWhole(on: Rig, id: number, ticks: number): Promise<void> {
  const response = await on.client.tasks.logs({ params: { id }, query: { phase: 'apply' } })
  expect(response.headers.get('x-log-state')).toBe('complete')
  const numbers = Array.from({ length: ticks }, (_, index) => `tick ${index + 1} of ${ticks}`)
  expect((await response.text()).match(/(?<=\(local-exec\): )tick \d+ of \d+$/gm)).toEqual(numbers)
  expect((await on.task(id)).attempt).toBe(2)
}

/** What terraform has written so far, whether anybody reads it or not. */
async function outputOf({ dataDir }: RunningAgent): Promise<string> {
  const [attempt = ''] = (await readdir(join(dataDir, 'attempts'))).filter((name) => name.endsWith('-2'))
  return await readFile(join(dataDir, 'attempts', attempt, 'output'), 'utf8')
}

async function backendPort({ dataDir }: RunningAgent): Promise<number> {
  const [attempt = ''] = (await readdir(join(dataDir, 'attempts'))).filter((name) => name.endsWith('-2'))
  const journal = await readFile(join(dataDir, 'attempts', attempt, 'journal.jsonl'), 'utf8')
  const ports = [...journal.matchAll(/"fact":"backendOpened","port":(\d+)/g)].map(([, port]) => Number(port))
  expect(ports).toHaveLength(1)
  return ports[0] ?? 0
}

function exists(link: string): Promise<boolean> {
  return readdir(link).then(
    () => true,
    () => false,
  )
}

function counting(seconds: number, after = ''): string {
  const loop = `i=1; while [ $i -le ${seconds} ]; do echo tick $i of ${seconds}; sleep 1; i=$((i+1)); done${after}`
  return `
    resource "terraform_data" "first" {}
    resource "terraform_data" "slow" {
      depends_on = [terraform_data.first]
      provisioner "local-exec" { command = "${loop}" }
    }`
}
