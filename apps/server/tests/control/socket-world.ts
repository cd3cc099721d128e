/** The whole server on a port of its own, with a pool, a key, a workspace, and sockets of agents that the test plays. */
import { type AgentMessage, protocolVersion, type RegisterRequest, type ServerMessage } from '@iac-agent/protocol'
import { ClosingStack, Secret, silentLogger, systemClock } from '@iac-agent/runtime'
import { WebSocket } from 'ws'
import { createPoolKey } from '../../src/domain/auth/pool-keys.js'
import { createPool } from '../../src/domain/auth/pools.js'
import { createWorkspace } from '../../src/domain/workspaces/workspaces.js'
import { startServer } from '../../src/server.js'
import { temporaryStore } from '../store/temporary-store.js'

const operatorToken = 'iop_of-this-test-only-0123456789abcdef'

export interface SocketWorldOptions {
  readonly offerTimeoutMs?: number
  readonly allowUnsavedPlan?: boolean
}

export type SocketWorld = Awaited<ReturnType<typeof socketWorld>>

export async function socketWorld({ offerTimeoutMs = 10_000, allowUnsavedPlan = false }: SocketWorldOptions = {}) {
  await using undo = new ClosingStack()
  const { store } = undo.use(await temporaryStore())
  const deps = { store, clock: systemClock }
  const pool = await createPool(deps, { name: 'pool' })
  const key = await createPoolKey(deps, { poolId: pool.id })
  const settings = { tf_code: {}, allow_unsaved_plan: allowUnsavedPlan }
  const workspace = await createWorkspace(deps, { name: 'prod', pool_id: pool.id, ...settings })
  const server = undo.use(
    await startServer({ config: config(offerTimeoutMs), store, logger: silentLogger(), version: '0' }),
  )
  const keyHeaders = { 'x-app-key': key.app_key, 'x-app-secret': key.app_secret }
  const parts = undo.move()

  const call = async (method: string, path: string, headers: Record<string, string>, body?: unknown) => {
    const init = body === undefined ? {} : { body: JSON.stringify(body) }
    const type = body === undefined ? {} : { 'content-type': 'application/json' }
    const response = await fetch(`${server.url}/api/v1${path}`, { method, headers: { ...headers, ...type }, ...init })
    return { status: response.status, body: (await response.json()) as Record<string, unknown> }
  }

  return {
    ...deps,
    url: server.url,
    pool,
    key,
    keyHeaders,
    workspace,
    /** As an operator. */
    operate: (method: string, path: string, body?: unknown) =>
      call(method, path, { authorization: `Bearer ${operatorToken}` }, body),
    /** As an agent of the pool. */
    ask: (method: string, path: string, headers: Record<string, string> = {}, body?: unknown) =>
      call(method, path, { ...keyHeaders, ...headers }, body),
    register: async (agentId: string) => {
      const { status, body } = await call('POST', '/agents/register', keyHeaders, registration(agentId))
      if (status !== 200) throw new Error(`register answered ${status}: ${JSON.stringify(body)}`)
    },
    connect: (agentId: string, headers: Record<string, string> = keyHeaders) =>
      AgentSocket.open(server.url, agentId, headers),
    [Symbol.asyncDispose]: () => parts[Symbol.asyncDispose](),
  }
}

function registration(agentId: string): RegisterRequest {
  const facts = { version: '1.0.0', protocol_version: protocolVersion, labels: {}, plan_limit: 3 }
  return { agent_id: agentId, name: agentId, ...facts, capabilities: {}, work_root: '/work' }
}

function config(offerTimeoutMs: number) {
  return {
    listen: { host: '127.0.0.1', port: 0 },
    dataDir: '',
    operatorToken: new Secret(operatorToken),
    tls: undefined,
    trustedProxies: [],
    heartbeatIntervalMs: 10_000,
    leaseTtlMs: 60_000,
    offerTimeoutMs,
    agentRateLimit: 30_000,
    operatorRateLimit: 12_000,
    metricsPublic: false,
    logLevel: 'silent' as const,
    logFormat: 'json' as const,
  }
}

type Payload<T extends ServerMessage['type']> = Extract<ServerMessage, { type: T }>['payload']

/** A bare socket: what the server said is kept until the test asks for it. */
export class AgentSocket implements AsyncDisposable {
  readonly said: ServerMessage[] = []
  #arrived: (() => void)[] = []
  /** the close code */
  readonly closed: Promise<number>

  private constructor(readonly socket: WebSocket) {
    this.closed = new Promise((resolve) => socket.once('close', resolve))
    socket.on('message', (data) => {
      this.said.push(JSON.parse(String(data)) as ServerMessage)
      for (const wake of this.#arrived.splice(0)) wake()
    })
  }

  /** Rejects with `upgrade answered <status>` when there is no upgrade. */
  static open(url: string, agentId: string, headers: Record<string, string>): Promise<AgentSocket> {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/api/v1/agents/control?agent_id=${agentId}`, { headers })
    const agent = new AgentSocket(socket)
    return new Promise((resolve, reject) => {
      socket.once('open', () => resolve(agent))
      socket.once('unexpected-response', (request, response) => {
        response.resume()
        request.destroy()
        reject(new Error(`upgrade answered ${response.statusCode}`))
      })
      socket.on('error', reject)
    })
  }

  send(message: AgentMessage): void {
    this.socket.send(JSON.stringify(message))
  }

  hello(agentId: string, instanceId: string, bootEpoch: number): void {
    const who = { protocol_version: protocolVersion, agent_id: agentId, instance_id: instanceId, boot_epoch: bootEpoch }
    this.send({ type: 'hello', payload: { ...who, tasks: [] } })
  }

  /** The next message of this type, taken out of what was said. */
  async next<T extends ServerMessage['type']>(type: T): Promise<Payload<T>> {
    for (;;) {
      const at = this.said.findIndex((message) => message.type === type)
      if (at !== -1) return this.said.splice(at, 1)[0]?.payload as Payload<T>
      await new Promise<void>((resolve) => this.#arrived.push(resolve))
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.terminate()
    await this.closed
  }
}
