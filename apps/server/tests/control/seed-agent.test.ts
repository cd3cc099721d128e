import { createHash } from 'node:crypto'
import { eventually } from '@iac-agent/testkit'
import { describe, expect, it } from 'vitest'
import { type SocketWorld, socketWorld } from './socket-world.js'

/** An agent that speaks only the seed: its id was never registered, key headers only, no hello, no lease. */
const agentId = 'seed-agent-1'
const identity = { 'x-agent-id': agentId }
const beat = { agent_id: agentId, status: 'idle', plan_running: 0, plan_limit: 1, apply_running: 0, current_tasks: [] }

async function queue(world: SocketWorld, task_type: string): Promise<number> {
  return (await world.operate('POST', '/workspaces/name:prod/tasks', { task_type })).body.id as number
}

async function taskOf(world: SocketWorld, taskId: number): Promise<Record<string, unknown>> {
  return (await world.operate('GET', `/tasks/${taskId}`)).body
}

describe('a seed-only agent', () => {
  it('completes a plan', async () => {
    await using world = await socketWorld()
    await using agent = await world.connect(agentId)
    agent.send({ type: 'heartbeat', payload: beat })
    const taskId = await queue(world, 'plan')
    const run = await agent.next('run_task')
    expect(run).toMatchObject({ task_id: taskId, workspace_id: world.workspace.id, action: 'plan' })
    const path = `/agents/tasks/${taskId}`
    const { body: data } = await world.ask('GET', `${path}/data`, identity)
    expect(data).toMatchObject({
      task: { id: taskId, task_type: 'plan', action: 'plan' },
      resources: [],
      variables: [],
    })
    expect(data).not.toHaveProperty('state_version')
    await world.ask('PUT', `${path}/status`, identity, { status: 'running', stage: 'planning' })
    const content = 'Terraform plan output...\n'
    const checksum = createHash('sha256').update(content).digest('hex')
    const chunk = { phase: 'plan', content, offset: 0, checksum }
    const { body: saved } = await world.ask('POST', `${path}/logs/chunk`, {}, chunk)
    expect(saved).toEqual({ status: 'ok', next_offset: 25, saved_bytes: 25 })
    const done = {
      status: 'success',
      stage: 'completed',
      changes_add: 3,
      changes_change: 1,
      changes_destroy: 0,
      duration: 45,
    }
    expect((await world.ask('PUT', `${path}/status`, identity, done)).status).toBe(200)
    agent.send({ type: 'task_completed', payload: { task_id: taskId } })
    expect(await taskOf(world, taskId)).toMatchObject({
      status: 'success',
      stage: 'completed',
      changes_add: 3,
      changes_change: 1,
      duration: 45,
      plan_output: content,
      agent_id: agentId,
    })
  })

  it('is never told what it does not know', async () => {
    await using world = await socketWorld()
    await using agent = await world.connect(agentId)
    agent.send({ type: 'heartbeat', payload: beat })
    await queue(world, 'plan')
    await agent.next('run_task')
    agent.send({ type: 'heartbeat', payload: beat })
    await eventually('heartbeats stored', async () => {
      const { body } = await world.ask('GET', `/agents/${agentId}/cc-status`)
      return body.last_heartbeat_at !== null
    })
    expect(agent.said).toEqual([])
  })

  it('is never offered a destroy, nor plan_and_apply where the plan must be saved', async () => {
    await using world = await socketWorld()
    await using agent = await world.connect(agentId)
    const refused = [await queue(world, 'destroy'), await queue(world, 'plan_and_apply')]
    const taken = await queue(world, 'plan')
    expect((await agent.next('run_task')).task_id).toBe(taken)
    for (const taskId of refused) {
      expect(await taskOf(world, taskId)).toMatchObject({
        status: 'pending',
        pending_reason: { code: 'no_capable_agent' },
      })
    }
  })

  it('is cancelled by cancel_task', async () => {
    await using world = await socketWorld()
    await using agent = await world.connect(agentId)
    const taskId = await queue(world, 'plan')
    await agent.next('run_task')
    await world.ask('GET', `/agents/tasks/${taskId}/data`, identity)
    const { status, body } = await world.operate('POST', `/tasks/${taskId}/cancel`)
    expect([status, body.status]).toEqual([202, 'running'])
    expect((await agent.next('cancel_task')).task_id).toBe(taskId)
    await world.ask('PUT', `/agents/tasks/${taskId}/status`, identity, { status: 'cancelled' })
    expect(await taskOf(world, taskId)).toMatchObject({ status: 'cancelled', cancel: { by: expect.any(String) } })
  })

  it('applies where the workspace allows it, and its states become versions', async () => {
    await using world = await socketWorld({ allowUnsavedPlan: true })
    await using agent = await world.connect(agentId)
    const taskId = await queue(world, 'plan_and_apply')
    expect((await agent.next('run_task')).action).toBe('plan')
    const path = `/agents/tasks/${taskId}`
    await world.ask('PUT', `${path}/status`, identity, { status: 'success', changes_add: 1 })
    expect((await world.operate('POST', `/tasks/${taskId}/confirm`)).status).toBe(200)
    expect((await agent.next('run_task')).action).toBe('apply')
    expect((await world.ask('GET', `${path}/data`, identity)).body).toMatchObject({ task: { action: 'apply' } })
    const stateOf = (serial: number) => {
      const content = JSON.stringify({ version: 4, serial, lineage: 'seeds-own', outputs: {}, resources: [] })
      return {
        content: JSON.parse(content),
        checksum: createHash('sha256').update(content).digest('hex'),
        size: content.length,
      }
    }
    const versions: unknown[] = []
    for (const serial of [1, 1, 2])
      versions.push((await world.ask('POST', `${path}/state`, identity, stateOf(serial))).body.version)
    expect(versions).toEqual([1, 1, 2])
    await world.ask('PUT', `${path}/status`, identity, { status: 'applied' })
    expect(await taskOf(world, taskId)).toMatchObject({ status: 'applied', confirmed_by: 'operator' })
  })

  it('is handed the state byte for byte, numbers beyond the reach of JavaScript included', async () => {
    await using world = await socketWorld({ allowUnsavedPlan: true })
    await using agent = await world.connect(agentId)
    const applied = await queue(world, 'plan_and_apply')
    await agent.next('run_task')
    await world.ask('PUT', `/agents/tasks/${applied}/status`, identity, { status: 'success', changes_add: 1 })
    await world.operate('POST', `/tasks/${applied}/confirm`)
    await agent.next('run_task')
    const state = '{"version":4, "serial":1,"lineage":"seeds-own","outputs":{"n":{"value":12345678901234567890}}}'
    const headers = { ...world.keyHeaders, ...identity, 'content-type': 'application/json' }
    const path = `${world.url}/api/v1/agents/tasks`
    await fetch(`${path}/${applied}/state`, { method: 'POST', headers, body: `{"content":${state}}` })
    await world.ask('PUT', `/agents/tasks/${applied}/status`, identity, { status: 'applied' })
    const planned = await queue(world, 'plan')
    await agent.next('run_task')
    const document = await (await fetch(`${path}/${planned}/data`, { headers })).text()
    expect(document).toContain(`"content":${state}`)
    const checksum = createHash('sha256').update(state).digest('hex')
    expect(JSON.parse(document)).toMatchObject({ state_version: { version: 1, checksum, size: state.length } })
    const without = await (await fetch(`${path}/${planned}/data?include_state=false`, { headers })).json()
    expect(without).toMatchObject({ state_version: { version: 1, checksum, serial: 1 } })
    expect(JSON.stringify(without)).not.toContain('outputs')
  })
})
