import { eventually } from '@iac-agent/testkit'
import { describe, expect, it } from 'vitest'
import { gatewayWorld } from './gateway-world.js'
import { AgentSocket } from './socket-world.js'

const lease = { attempt: 1, leaseToken: '1.token', leaseTtlMs: 60_000 }

describe('the six methods of the hub', () => {
  it('reach a connected agent, and say so', async () => {
    await using world = await gatewayWorld()
    await using agent = await AgentSocket.open(world.url, 'a', {})
    expect(world.hub.getConnectedAgents()).toEqual(['a'])
    expect(world.hub.sendTaskToAgent('a', 7, 'ws-1', 'plan', lease)).toBe(true)
    expect(world.hub.cancelTaskOnAgent('a', 7)).toBe(true)
    expect(world.hub.startRealtimeStream('a', 7)).toBe(true)
    expect(world.hub.stopRealtimeStream('a', 7)).toBe(true)
    expect(await agent.next('run_task')).toEqual({
      task_id: 7,
      workspace_id: 'ws-1',
      action: 'plan',
      attempt: 1,
      lease_token: '1.token',
      lease_ttl_ms: 60_000,
    })
    expect(await agent.next('cancel_task')).toEqual({ task_id: 7 })
    expect(await agent.next('start_realtime_stream')).toEqual({ task_id: 7 })
    expect(await agent.next('stop_realtime_stream')).toEqual({ task_id: 7 })
  })

  it('say that nobody took the message when the agent is not connected', async () => {
    await using world = await gatewayWorld()
    expect(world.hub.sendTaskToAgent('a', 7, 'ws-1', 'plan', lease)).toBe(false)
    expect(world.hub.cancelTaskOnAgent('a', 7, { attempt: 1, force: true })).toBe(false)
    expect(world.hub.isAgentAvailable('a', 'plan')).toBe(false)
  })

  it('know by its heartbeat whether an agent takes more plans, or an apply', async () => {
    await using world = await gatewayWorld()
    await using agent = await AgentSocket.open(world.url, 'a', {})
    const available = () => [world.hub.isAgentAvailable('a', 'plan'), world.hub.isAgentAvailable('a', 'plan_and_apply')]
    expect(available()).toEqual([true, true])
    const says = async (payload: object, expected: boolean[]) => {
      agent.send({ type: 'heartbeat', payload })
      await eventually('heartbeat heard', () => String(available()) === String(expected))
    }
    await says({ plan_running: 1, plan_limit: 2, apply_running: 0 }, [true, false])
    await says({ plan_running: 2, plan_limit: 2, apply_running: 0 }, [false, false])
    await says({ plan_running: 0, plan_limit: 2, apply_running: 0 }, [true, true])
    await says({ plan_running: 0, plan_limit: 2, apply_running: 1 }, [false, false])
    await says({ plan_running: 0, plan_limit: 2, apply_running: 0, status: 'draining' }, [false, false])
  })

  it('send work to a registered agent only after it said what it holds', async () => {
    await using world = await gatewayWorld()
    await world.register('a')
    await using agent = await AgentSocket.open(world.url, 'a', {})
    expect(world.hub.getConnectedAgents()).toEqual([])
    agent.hello('a', 'one', 1)
    await agent.next('welcome')
    expect(world.hub.getConnectedAgents()).toEqual(['a'])
  })

  it('say again after a reconnect which tasks are watched', async () => {
    await using world = await gatewayWorld()
    await world.register('a')
    expect(world.hub.startRealtimeStream('a', 7)).toBe(false)
    await using agent = await AgentSocket.open(world.url, 'a', {})
    agent.hello('a', 'one', 1)
    expect(await agent.next('start_realtime_stream')).toEqual({ task_id: 7 })
  })
})
