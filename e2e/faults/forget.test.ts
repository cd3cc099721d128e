import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Phase } from '@iac-agent/protocol'
import {
  createPoolAndKey,
  eventually,
  fakeConfiguration,
  layOutFakeTerraform,
  type PoolAndKey,
  type RunningAgent,
  startAgent,
  type TemporaryDirectory,
  temporaryDirectory,
} from '@iac-agent/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Rig } from '../rig.js'
import { nothingLeft } from './leftovers.js'

let home: TemporaryDirectory
let stubborn: string
beforeAll(async () => {
  home = await temporaryDirectory('forget')
  stubborn = await layOutFakeTerraform(home.path)
})
afterAll(async () => await home[Symbol.asyncDispose]())

/** How an agent is cut off for longer than its lease lasts, and how it comes back. */
const absences = [
  [
    'was stopped',
    async (agent: RunningAgent) => void process.kill(agent.child.pid, 'SIGSTOP'),
    async (agent: RunningAgent) => void process.kill(agent.child.pid, 'SIGCONT'),
  ],
  [
    'was killed',
    async (agent: RunningAgent) => void (await agent.stop('SIGKILL')),
    async (agent: RunningAgent) => agent.start(),
  ],
] as const

const patient = { timeoutMs: 45_000, everyMs: 100 }

describe.concurrent.each(absences)('an agent that %s beyond its lease', (_, leave, comeBack) => {
  // of its own: a server ends three leases a minute
  let rig: Rig
  beforeAll(async () => {
    rig = await Rig.start({ args: ['--lease-ttl', '4s', '--heartbeat-interval', '500ms'] })
  })
  afterAll(async () => await rig[Symbol.asyncDispose]())

  it('is told to forget a plan that was made elsewhere: its data comes late, the new result counts', async () => {
    const pool = await createPoolAndKey(rig.client, randomUUID())
    await using agent = await stubbornAgent(rig, pool)
    const id = await hangingPlan(rig, pool)
    await leave(agent)
    await using other = await startAgent({ server: rig.server, key: pool.key })
    const done = await rig.reached(id, 'success', patient)
    expect(done.agent_id).toBe(other.agentId)
    expect(done.attempt).toBeGreaterThan(1)
    await comeBack(agent)
    const late = await sealed(rig, id, 'plan', 1)
    expect(late.match(/^(hangs|.*received)/gm)).toEqual(['hangs', 'Interrupt received'])
    expect(await rig.task(id)).toEqual(done)
    expect(await sealed(rig, id, 'plan', Number(done.attempt))).toBe(done.plan_output)
    await nothingLeft(agent)
    expect(await facts(agent, id, 1)).toContain('"item":"status","late":true')
    await nothingLeft(other)
  })

  it('is told to forget a plan that was cancelled meanwhile', async () => {
    const pool = await createPoolAndKey(rig.client, randomUUID())
    await using agent = await stubbornAgent(rig, pool)
    const id = await hangingPlan(rig, pool)
    await leave(agent)
    await rig.client.tasks.cancel({ params: { id } })
    const done = await rig.reached(id, 'cancelled', patient)
    await comeBack(agent)
    expect(await sealed(rig, id, 'plan', 1)).toContain('Interrupt received')
    expect(await rig.task(id)).toMatchObject({ status: 'cancelled', completed_at: done.completed_at })
    await nothingLeft(agent)
  })

  it('interrupts once an apply that was declared lost, and has its state rescued', async () => {
    const pool = await createPoolAndKey(rig.client, randomUUID())
    await using agent = await startAgent({ server: rig.server, key: pool.key, name: 'lonely' })
    const workspace = await rig.workspace(endless, { pool_id: pool.poolId, auto_apply: true })
    const id = await rig.queue(workspace, 'plan_and_apply')
    await eventually('it applies', async () => (await rig.task(id)).apply_output?.includes('waiting'), patient)
    await leave(agent)
    await rig.taskWhen(id, 'unreachable', (task) => task.unreachable_since !== null, patient)
    await rig.client.tasks.declareLost({ params: { id }, body: { agent_name: 'lonely' } })
    await comeBack(agent)
    const log = await sealed(rig, id, 'apply', 2)
    expect(log.match(/Interrupt received/g)).toHaveLength(1)
    expect(await rig.task(id)).toMatchObject({ status: 'failed', error_code: 'lost' })
    const { items } = await rig.client.states.list({ params: { id: workspace } })
    expect(items.some(({ rescued }) => rescued)).toBe(true)
    const { lock } = await rig.client.workspaces.get({ params: { id: workspace } })
    expect(lock?.owner).toBe(`lost_apply:${id}`)
    await nothingLeft(agent)
  })
})

/** Only the fake terraform hangs; the real one takes it for a comment. */
const hangs = fakeConfiguration({ stubborn: 'plan' })

const endless = `
  resource "terraform_data" "first" {}
  resource "terraform_data" "endless" {
    depends_on = [terraform_data.first]
    provisioner "local-exec" { command = "echo waiting; while :; do sleep 0.1; done" }
  }`

function stubbornAgent(rig: Rig, pool: PoolAndKey): Promise<RunningAgent> {
  const args = ['--terraform-path', stubborn, '--cancel-grace', '300ms']
  return startAgent({ server: rig.server, key: pool.key, args })
}

async function hangingPlan(rig: Rig, pool: PoolAndKey): Promise<number> {
  const workspace = await rig.workspace(hangs, { pool_id: pool.poolId })
  const id = await rig.queue(workspace, 'plan')
  await eventually('terraform hangs', async () => (await rig.task(id)).plan_output?.includes('hangs'), patient)
  return id
}

/** The whole log of an attempt, once it is proved whole. */
async function sealed(rig: Rig, id: number, phase: Phase, attempt: number): Promise<string> {
  return await eventually(
    `the log of attempt ${attempt} is whole`,
    async () => {
      const response = await rig.client.tasks.logs({ params: { id }, query: { phase, attempt } })
      const log = await response.text()
      return response.headers.get('x-log-state') === 'complete' ? log : undefined
    },
    patient,
  )
}

async function facts({ dataDir }: RunningAgent, id: number, attempt: number): Promise<string> {
  return await readFile(join(dataDir, 'attempts', `${id}-${attempt}`, 'journal.jsonl'), 'utf8')
}
