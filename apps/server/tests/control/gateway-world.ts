/** A gateway on a bare HTTP server, with its hub at hand and a silence that a test can wait for. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { ClosingStack, silentLogger, systemClock } from '@iac-agent/runtime'
import { ControlHub } from '../../src/control/control-hub.js'
import { Gateway } from '../../src/control/gateway.js'
import { registerAgent } from '../../src/domain/agents/register-agent.js'
import { createPool } from '../../src/domain/auth/pools.js'
import { temporaryStore } from '../store/temporary-store.js'

export async function gatewayWorld(silenceMs = 60_000) {
  await using undo = new ClosingStack()
  const { store } = undo.use(await temporaryStore())
  const pool = await createPool({ store, clock: systemClock }, { name: 'pool' })
  const hub = new ControlHub()
  const http = createServer()
  undo.defer(() => new Promise((resolve) => http.close(resolve)))
  const gateway = undo.use(
    new Gateway({
      store,
      clock: systemClock,
      hub,
      storeEpoch: 1,
      logger: silentLogger(),
      authenticate: async () => ({ poolId: pool.id, keyId: 'key', expiresAt: null }),
      appendLive: async () => ({ stale: true }),
      heartbeatIntervalMs: 10_000,
      silenceMs,
    }),
  )
  await gateway.attach(http)
  await listening(http)
  const parts = undo.move()
  return {
    store,
    pool,
    hub,
    /** Closes the sockets, as the server does when it stops. */
    stop: () => gateway[Symbol.asyncDispose](),
    register: (agentId: string) =>
      registerAgent(
        { store, clock: systemClock, heartbeatIntervalMs: 10_000, leaseTtlMs: 60_000 },
        { caller: { poolId: pool.id, keyId: 'key' }, request: { agent_id: agentId, name: agentId, ...facts } },
      ),
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: () => parts[Symbol.asyncDispose](),
  }
}

const facts = {
  version: '1.0.0',
  protocol_version: 1,
  labels: {},
  plan_limit: 3,
  capabilities: {},
  work_root: '/work',
}

function listening(http: Server): Promise<void> {
  return new Promise((resolve) => http.listen(0, '127.0.0.1', resolve))
}
