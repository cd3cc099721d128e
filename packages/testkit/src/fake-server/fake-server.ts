/** A server for agent tests, written against protocol.md: a whole peer on a real port that remembers everything and fails on demand. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gunzipSync } from 'node:zlib'
import { type AgentMessage, type DesiredTask, type RegisterRequest, timing } from '@iac-agent/protocol'
import { eventually } from '../eventually.js'
import { controlPath, type FakeControl, serveControl } from './fake-control.js'
import { answerTask, type FakeAnswer, type ReceivedRequest, refusal } from './fake-routes.js'
import { FakeTask, type FakeTaskInput } from './fake-task.js'

/** Answers instead of the fake: for the next `times` requests or upgrades (1 unless given) whose "METHOD /path" fits. `cut` breaks the connection. */
export interface FakeFault {
  match: RegExp
  times?: number
  answer: FakeAnswer | 'cut'
}

/** One pool, one key. Dispose closes sockets and port. */
export interface FakeServer extends AsyncDisposable {
  readonly url: string
  readonly key: { app_key: string; app_secret: string }
  readonly registered: RegisterRequest[]
  /** "METHOD /path" of every request, faults included. */
  readonly requests: string[]
  readonly received: readonly AgentMessage[]
  /** What `welcome`, `heartbeat_ack` and the HTTP heartbeat say. */
  desired: DesiredTask[]
  /** Said with every answer and in `welcome`; raise it when the tasks lost something. */
  storeEpoch: number
  /** Wrong from now on: every request and upgrade gets 401. */
  revokeKey(): void
  addTask(input?: FakeTaskInput): FakeTask
  /** Sends run_task to whoever is connected. */
  offer(task: FakeTask): void
  send(type: string, payload: object): void
  fail(fault: FakeFault): void
  /** Forgets the faults that are not used up. */
  heal(): void
  /** The first received message of this type that fits, past or to come. */
  message<T extends AgentMessage['type']>(
    type: T,
    fits?: (payload: Extract<AgentMessage, { type: T }>['payload']) => boolean,
  ): Promise<Extract<AgentMessage, { type: T }>['payload']>
  readonly connections: number
  /** Sizes of the live log frames that came. */
  readonly frameBytes: readonly number[]
  /** Cuts every control connection without a close frame, or closes it with a code. */
  dropSockets(code?: number, reason?: string): void
}

/** Listens on a loopback port of its own. */
export async function startFakeServer(): Promise<FakeServer> {
  const key = { app_key: 'fake-key', app_secret: 'fake-secret' }
  const tasks = new Map<number, FakeTask>()
  const faults: Required<FakeFault>[] = []
  const registered: RegisterRequest[] = []
  const requests: string[] = []
  let desired: DesiredTask[] = []
  let isRevoked = false
  let storeEpoch = 1
  const http = createServer((request, response) => void serve(request, response))
  const control: FakeControl = serveControl(http, {
    refuse: refuseUpgrade,
    desired: () => desired,
    storeEpoch: () => storeEpoch,
    live: ({ task_id, offset }, bytes) => tasks.get(task_id)?.append(offset, bytes).nextOffset ?? 0,
  })
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))

  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    key,
    registered,
    requests,
    received: control.received,
    get desired() {
      return desired
    },
    set desired(wanted) {
      desired = wanted
    },
    get storeEpoch() {
      return storeEpoch
    },
    set storeEpoch(epoch) {
      storeEpoch = epoch
    },
    revokeKey() {
      isRevoked = true
    },
    addTask,
    offer,
    send: control.send,
    fail: (fault) => void faults.push({ times: 1, ...fault }),
    heal: () => void faults.splice(0),
    message: (type, fits = () => true) =>
      eventually(`a ${type} from the agent`, () =>
        control.received.find((one) => one.type === type && fits(one.payload as never)),
      ).then(({ payload }) => payload as never),
    frameBytes: control.frameBytes,
    get connections() {
      return control.sockets.size
    },
    dropSockets(code, reason) {
      for (const socket of control.sockets) code ? socket.close(code, reason) : socket.terminate()
    },
    async [Symbol.asyncDispose]() {
      for (const socket of control.sockets) socket.terminate()
      http.closeAllConnections()
      await new Promise((resolve) => http.close(resolve))
    },
  }

  function addTask(input: FakeTaskInput = {}): FakeTask {
    const task = new FakeTask(tasks.size + 1, 1, input)
    tasks.set(task.id, task)
    return task
  }

  function offer({ id, workspaceId, action, attempt, lease }: FakeTask): void {
    control.send('run_task', {
      task_id: id,
      workspace_id: workspaceId,
      action,
      attempt,
      lease_token: lease,
      lease_ttl_ms: timing.leaseTtlMs,
    })
  }

  function refuseUpgrade(line: string, headers: Record<string, string | undefined>): FakeAnswer | null {
    const fault = takeFault(line)
    if (fault) return fault.answer === 'cut' ? { status: 502, body: '' } : fault.answer
    if (!line.endsWith(controlPath)) return refusal('not_found', `no ${line}`)
    return isKnown(headers) ? null : refusal('unauthorized', 'Wrong key.')
  }

  function takeFault(line: string): FakeFault | undefined {
    const fault = faults.find(({ match, times }) => times > 0 && match.test(line))
    if (fault) fault.times--
    return fault
  }

  async function serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const request = await receive(incoming)
    if (request === undefined) return
    const line = `${request.method} ${request.path}`
    requests.push(line)
    const fault = takeFault(line)
    if (fault?.answer === 'cut') return void incoming.socket.destroy()
    const { status, body, headers } = fault?.answer ?? answer(request)
    const bytes = Buffer.isBuffer(body) || typeof body === 'string' ? body : JSON.stringify(body ?? {})
    const common = { 'content-type': 'application/json', 'x-store-epoch': String(storeEpoch) }
    response.writeHead(status, { ...common, ...headers }).end(bytes)
  }

  function answer(request: ReceivedRequest): FakeAnswer {
    if (!isKnown(request.headers)) return refusal('unauthorized', 'Wrong key.')
    const path = request.path.replace('/api/v1/agents/', '')
    if (path === 'register') return register(request)
    if (path.endsWith('/heartbeat')) return { status: 200, body: { desired, draining: false, store_epoch: storeEpoch } }
    const [, id, route] = /^tasks\/(\d+)\/(.+)$/.exec(path) ?? []
    const task = tasks.get(Number(id))
    if (!task || !route) return refusal('not_found', `no ${request.path}`)
    if (request.headers['x-task-lease'] !== task.lease) return refusal('forbidden', 'Not the lease of this attempt.')
    return answerTask(task, route, request, storeEpoch)
  }

  function register(request: ReceivedRequest): FakeAnswer {
    const body = JSON.parse(request.body.toString()) as RegisterRequest
    registered.push(body)
    return {
      status: 200,
      body: {
        agent_id: body.agent_id ?? `agent-${registered.length}`,
        pool_id: 'pool-1',
        heartbeat_interval_ms: 500,
        lease_ttl_ms: timing.leaseTtlMs,
        protocol_version: 1,
      },
    }
  }

  function isKnown(headers: Record<string, string | undefined>): boolean {
    return !isRevoked && headers['x-app-key'] === key.app_key && headers['x-app-secret'] === key.app_secret
  }
}

/** Undefined when the agent left in the middle of it. */
async function receive(incoming: IncomingMessage): Promise<ReceivedRequest | undefined> {
  const parts: Buffer[] = []
  try {
    for await (const part of incoming) parts.push(part as Buffer)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ECONNRESET') return undefined
    throw error
  }
  const bytes = Buffer.concat(parts)
  const { pathname, searchParams } = new URL(incoming.url ?? '/', 'http://fake')
  return {
    method: incoming.method ?? 'GET',
    path: pathname,
    query: searchParams,
    headers: incoming.headers as Record<string, string | undefined>,
    body: incoming.headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes,
  }
}
