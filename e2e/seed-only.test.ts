import { createHash } from 'node:crypto'
import { eventually } from '@iac-agent/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Rig } from './rig.js'
import { SeedAgent } from './seed-agent.js'

let rig: Rig
const made: SeedAgent[] = []
let count = 0

/** A lease of 4 s makes "three leases long" quick to wait for; the seed's own 60 s and 3 minutes hold with IAC_E2E_LONG=1. */
const isLong = process.env.IAC_E2E_LONG === '1'
const leaseMs = isLong ? 60_000 : 4_000

beforeAll(async () => {
  rig = await Rig.start({ args: ['--lease-ttl', `${leaseMs / 1000}s`, '--heartbeat-interval', isLong ? '10s' : '1s'] })
})
afterAll(async () => {
  for (const agent of made) await agent.close()
  await rig[Symbol.asyncDispose]()
})

/** The agents before are gone, so that nothing is offered to them. */
async function connect(): Promise<SeedAgent> {
  for (const agent of made.splice(0)) await agent.close()
  const agent = await SeedAgent.connect(rig.server.url, rig.pool.key, `seed-${++count}`)
  made.push(agent)
  return agent
}

describe('an agent that speaks only the seed', () => {
  it('is known from its first connection on, and completes a plan', async () => {
    const agent = await connect()
    const listed = await eventually('the agent is online', async () => {
      const found = await rig.client.agents.get({ params: { agent_id: agent.id } })
      return found.status === 'online' ? found : undefined
    })
    expect(listed.registered).toBe(false)

    const workspace = await rig.workspace('output "a" { value = 1 }')
    const id = await rig.queue(workspace, 'plan')
    expect(await agent.next('run_task')).toMatchObject({ task_id: id, workspace_id: workspace, action: 'plan' })
    const data = (await (await agent.get(`${id}/data`)).json()) as { workspace: object }
    expect(data.workspace).toMatchObject({
      workspace_id: workspace,
      execution_mode: 'remote',
      tf_code: 'output "a" { value = 1 }',
    })

    const first = await chunk(agent, id, 'planning ü\n', 0)
    expect(await first.json()).toEqual({ status: 'ok', next_offset: 12, saved_bytes: 12 })
    await chunk(agent, id, 'planning ü\ndone\n', 0)
    await put(agent, id, {
      status: 'success',
      stage: 'completed',
      changes_add: 3,
      changes_change: 1,
      changes_destroy: 0,
      duration: 4,
    })
    agent.send('task_completed', { task_id: id })
    const task = await rig.reached(id, 'success')
    expect(task).toMatchObject({ changes_add: 3, changes_change: 1, duration: 4, plan_output: 'planning ü\ndone\n' })
    const logs = await rig.client.tasks.logs({ params: { id }, query: { phase: 'plan' } })
    expect(logs.headers.get('x-log-state')).toBe('unsealed')
  })

  it('is never offered a destroy, nor an apply that needs a saved plan', async () => {
    const agent = await connect()
    const workspace = await rig.workspace('output "a" { value = 1 }')
    const destroy = await rig.queue(workspace, 'destroy')
    const other = await rig.queue(await rig.workspace('output "a" { value = 1 }'), 'plan_and_apply')
    const plan = await rig.queue(await rig.workspace('output "a" { value = 1 }'), 'plan')
    const offered = await agent.next('run_task')
    expect(offered.task_id).toBe(plan)
    await finish(agent, plan)
    for (const id of [destroy, other]) {
      expect((await rig.task(id)).pending_reason?.code).toBe('no_capable_agent')
      await rig.client.tasks.cancel({ params: { id } })
    }
  })

  it('is not sent a task twice while it runs three leases long, and is cancelled by cancel_task', {
    timeout: 300_000,
  }, async () => {
    const agent = await connect()
    const id = await rig.queue(await rig.workspace('output "a" { value = 1 }'), 'plan')
    await agent.next('run_task')
    await agent.get(`${id}/data`)
    await put(agent, id, { status: 'running', stage: 'planning' })
    const beats = setInterval(() => agent.heartbeat([id]), leaseMs / 6)
    const until = performance.now() + 3 * leaseMs
    await rig.taskWhen(id, 'running for long', ({ status }) => status === 'running' && performance.now() > until, {
      timeoutMs: 4 * leaseMs,
      everyMs: 200,
    })
    expect(agent.offered).toEqual([id])
    expect(await rig.task(id)).toMatchObject({ attempt: 1, unreachable_since: null, agent_id: agent.id })

    await rig.client.tasks.cancel({ params: { id } })
    expect(await agent.next('cancel_task')).toMatchObject({ task_id: id })
    clearInterval(beats)
    await put(agent, id, { status: 'cancelled', stage: 'completed' })
    await rig.reached(id, 'cancelled')
  })

  it('applies with allow_unsaved_plan, and gets one version for the same state twice, the next for another', async () => {
    const agent = await connect()
    const workspace = await rig.workspace('resource "terraform_data" "a" {}', { allow_unsaved_plan: true })
    const id = await rig.queue(workspace, 'plan_and_apply')
    expect(await agent.next('run_task')).toMatchObject({ task_id: id, action: 'plan' })
    await agent.get(`${id}/data`)
    await put(agent, id, {
      status: 'success',
      stage: 'completed',
      changes_add: 1,
      changes_change: 0,
      changes_destroy: 0,
    })
    await rig.reached(id, 'apply_pending')
    await rig.confirm(id)
    expect(await agent.next('run_task')).toMatchObject({ task_id: id, action: 'apply' })
    await agent.get(`${id}/data`)
    await put(agent, id, { status: 'running', stage: 'applying' })

    const state = {
      version: 4,
      terraform_version: '1.8.5',
      serial: 1,
      lineage: 'the-agents-own',
      outputs: {},
      resources: [],
    }
    expect(await save(agent, id, state)).toEqual({ message: 'state saved successfully', version: 1 })
    expect(await save(agent, id, state)).toEqual({ message: 'state saved successfully', version: 1 })
    expect(await save(agent, id, { ...state, serial: 2 })).toEqual({ message: 'state saved successfully', version: 2 })
    await put(agent, id, { status: 'applied', stage: 'completed' })
    await rig.reached(id, 'applied')
    const { items } = await rig.client.states.list({ params: { id: workspace } })
    expect(items.map(({ version, serial, current }) => ({ version, serial, current }))).toEqual([
      { version: 2, serial: 2, current: true },
      { version: 1, serial: 1, current: false },
    ])
  })
})

function chunk(agent: SeedAgent, id: number, content: string, offset: number): Promise<Response> {
  const checksum = createHash('sha256').update(content).digest('hex')
  return agent.give(`${id}/logs/chunk`, { phase: 'plan', content, offset, checksum })
}

async function put(agent: SeedAgent, id: number, body: object): Promise<void> {
  const response = await agent.give(`${id}/status`, body)
  expect(await response.json()).toMatchObject({ status: expect.any(String) })
  expect(response.status).toBe(200)
}

async function save(agent: SeedAgent, id: number, content: object): Promise<unknown> {
  const text = JSON.stringify(content)
  const checksum = createHash('sha256').update(text).digest('hex')
  const response = await agent.give(`${id}/state`, { content, checksum, size: text.length })
  return response.json()
}

async function finish(agent: SeedAgent, id: number): Promise<void> {
  await put(agent, id, { status: 'success', stage: 'completed' })
  await rig.reached(id, 'success')
}
