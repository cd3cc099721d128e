/** A control manager that runs until disposed and remembers what it was told. */
import type { Heartbeat, ServerMessage } from '@iac-agent/protocol'
import { silentLogger } from '@iac-agent/runtime'
import { ControlManager, type ControlManagerOptions } from '../../src/control/control-manager.js'
import type { ControlEnd, ControlState } from '../../src/control/control-state.js'
import { AgentApi } from '../../src/server-api/agent-api.js'
import { createNetwork, type NetworkSettings } from '../../src/server-api/network.js'
import { ServerRequest } from '../../src/server-api/request.js'
import { fixedCredentials } from '../_util/connection.js'

export interface RunningManager extends AsyncDisposable {
  manager: ControlManager
  messages: ServerMessage[]
  states: ControlState[]
  ended: Promise<ControlEnd>
}

const heartbeat: Heartbeat = {
  status: 'idle',
  plan_running: 0,
  plan_limit: 3,
  apply_running: false,
  current_tasks: [],
}

export function runManager(
  server: { url: string; key: { app_key: string; app_secret: string } },
  options: Partial<ControlManagerOptions> & { settings?: NetworkSettings } = {},
): RunningManager {
  const messages: ServerMessage[] = []
  const states: ControlState[] = []
  const serverUrl = new URL(server.url)
  const network = createNetwork(options.settings ?? {})
  const credentials = options.credentials ?? fixedCredentials(server.key)
  const api = new AgentApi(new ServerRequest({ serverUrl, network, credentials, agentId: () => 'agent-1' }))
  const stop = new AbortController()
  const manager = new ControlManager({
    serverUrl,
    network,
    credentials,
    agentId: 'agent-1',
    instanceId: 'instance-1',
    bootEpoch: 7,
    heartbeatIntervalMs: 200,
    isBusy: () => true,
    inventory: () => [],
    heartbeat: () => heartbeat,
    postHeartbeat: (payload, signal) => api.heartbeat('agent-1', payload, signal),
    onMessage: (message) => messages.push(message),
    onState: (state) => states.push(state),
    log: silentLogger(),
    ...options,
  })
  const ended = manager.run(stop.signal)
  return {
    manager,
    messages,
    states,
    ended,
    async [Symbol.asyncDispose]() {
      stop.abort()
      await ended
      await network[Symbol.asyncDispose]()
    },
  }
}
