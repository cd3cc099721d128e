/** An agent for server tests, written against protocol.md: a whole peer on a real socket that does exactly what the test says. */
import type { RegisterAnswer, ServerMessage } from '@iac-agent/protocol'
import WebSocket from 'ws'
import { eventually } from './eventually.js'

/** Who it is. */
export interface FakeAgentOptions {
  /** Of the server, with its prefix. */
  url: string
  key: { app_key: string; app_secret: string }
  /** `fake-agent` unless given; a registered one takes the id the server answers. */
  agentId?: string
  /** Never registers, says no hello, sends no lease: the seed's six endpoints and messages only. */
  seedOnly?: boolean
  /** Fields of the register request that differ. */
  register?: Record<string, unknown>
  instanceId?: string
  bootEpoch?: number
}

/** What a request may carry beside the key. */
export interface FakeRequest {
  /** An object goes as JSON, bytes as octet-stream. */
  body?: object | Uint8Array
  lease?: string
  headers?: Record<string, string>
}

type MessageType = ServerMessage['type']
type PayloadOf<T extends MessageType> = Extract<ServerMessage, { type: T }>['payload']

/** Dispose closes its socket. */
export interface FakeAgent extends AsyncDisposable {
  readonly agentId: string
  /** Everything the server said on this connection, in order. */
  readonly messages: readonly ServerMessage[]
  /** The first message of a type that fits and that no earlier `next` answered. */
  next<T extends MessageType>(type: T, fits?: (payload: PayloadOf<T>) => boolean): Promise<PayloadOf<T>>
  send(type: string, payload: object): void
  /** Any frame, text or binary. */
  sendFrame(frame: string | Uint8Array): void
  /** A heartbeat with these fields over the usual ones. */
  heartbeat(fields?: Record<string, unknown>): void
  /** `path` below `/api/v1/agents`; throws nothing for an HTTP error. */
  http(method: string, path: string, request?: FakeRequest): Promise<Response>
  /** Resolves when the server or the test closed the socket. */
  readonly closed: Promise<{ code: number; reason: string }>
  /** Cuts the connection without a close frame. */
  drop(): void
}

/** Registers (unless seed-only), connects, says hello and a first heartbeat, and resolves when the socket is open. */
export async function startFakeAgent(options: FakeAgentOptions): Promise<FakeAgent> {
  const keyHeaders = { 'x-app-key': options.key.app_key, 'x-app-secret': options.key.app_secret }
  const agentId = options.seedOnly ? (options.agentId ?? 'fake-agent') : await register(options, keyHeaders)
  const messages: ServerMessage[] = []
  const answered = new Set<ServerMessage>()
  const address = `${options.url.replace(/^http/, 'ws')}/api/v1/agents/control?agent_id=${encodeURIComponent(agentId)}`
  const socket = new WebSocket(address, { headers: keyHeaders, perMessageDeflate: false })
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.once('close', (code, reason) => resolve({ code, reason: String(reason) }))
  })
  socket.on('message', (frame, isBinary) => {
    if (!isBinary) messages.push(JSON.parse(String(frame)) as ServerMessage)
  })
  await new Promise((resolve, reject) => {
    socket.once('open', resolve)
    socket.once('error', reject)
  })
  socket.on('error', () => {}) // `closed` tells how it ended
  if (!options.seedOnly) send('hello', helloOf(options, agentId))
  heartbeat()
  return {
    agentId,
    messages,
    next,
    send,
    sendFrame: (frame) => socket.send(frame),
    heartbeat,
    http,
    closed,
    drop: () => socket.terminate(),
    async [Symbol.asyncDispose]() {
      socket.close()
      const timer = setTimeout(() => socket.terminate(), 1_000)
      await closed
      clearTimeout(timer)
    },
  }

  async function next<T extends MessageType>(type: T, fits: (payload: PayloadOf<T>) => boolean = () => true) {
    const message = await eventually(`a ${type} from the server`, () =>
      messages.find((one) => one.type === type && !answered.has(one) && fits(one.payload as PayloadOf<T>)),
    )
    answered.add(message)
    return message.payload as PayloadOf<T>
  }

  function send(type: string, payload: object): void {
    socket.send(JSON.stringify({ type, payload }))
  }

  function heartbeat(fields: Record<string, unknown> = {}): void {
    const idle = { status: 'idle', plan_running: 0, plan_limit: 3, apply_running: false, current_tasks: [] }
    send('heartbeat', {
      agent_id: agentId,
      ...idle,
      cpu_usage: 1,
      mem_usage: 1,
      timestamp: new Date().toISOString(),
      ...fields,
    })
  }

  function http(method: string, path: string, { body, lease, headers = {} }: FakeRequest = {}): Promise<Response> {
    const isBytes = body instanceof Uint8Array
    const type = isBytes ? 'application/octet-stream' : 'application/json'
    return fetch(`${options.url}/api/v1/agents${path}`, {
      method,
      headers: {
        ...keyHeaders,
        'x-agent-id': agentId,
        ...(body && { 'content-type': type }),
        ...(lease && { 'x-task-lease': lease }),
        ...headers,
      },
      body: body === undefined ? null : isBytes ? (body as Uint8Array<ArrayBuffer>) : JSON.stringify(body),
    })
  }
}

async function register(options: FakeAgentOptions, keyHeaders: Record<string, string>): Promise<string> {
  const name = options.agentId ?? 'fake-agent'
  const response = await fetch(`${options.url}/api/v1/agents/register`, {
    method: 'POST',
    headers: { ...keyHeaders, 'content-type': 'application/json' },
    body: JSON.stringify({
      ...(options.agentId && { agent_id: options.agentId }),
      name,
      version: '0.0.0',
      protocol_version: 1,
      labels: {},
      plan_limit: 3,
      capabilities: { engines: ['terraform'], platform: 'linux_amd64' },
      work_root: '/tmp/fake-work',
      ...options.register,
    }),
  })
  if (!response.ok) throw new Error(`register answered ${response.status}: ${await response.text()}`)
  return ((await response.json()) as RegisterAnswer).agent_id
}

function helloOf(options: FakeAgentOptions, agentId: string): object {
  return {
    protocol_version: 1,
    agent_id: agentId,
    instance_id: options.instanceId ?? `fake-${process.pid}-${agentId}`,
    boot_epoch: options.bootEpoch ?? 1,
    tasks: [],
  }
}
