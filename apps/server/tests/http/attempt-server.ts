/** A server in this process, on a port and a real store, with one task whose attempts are offered by hand. */
import type { Phase } from '@iac-agent/protocol'
import { silentLogger, systemClock } from '@iac-agent/runtime'
import type { AgentCaller } from '../../src/domain/attempts/agent-caller.js'
import { createPoolKey } from '../../src/domain/auth/pool-keys.js'
import { startServer } from '../../src/server.js'
import { type RunningTask, runningTask } from '../domain/running-task.js'

const perMinute = 1_000_000
const config = {
  listen: { host: '127.0.0.1', port: 0 },
  dataDir: 'the test opens the store itself',
  operatorToken: undefined,
  tls: undefined,
  trustedProxies: [],
  heartbeatIntervalMs: 10_000,
  leaseTtlMs: 60_000,
  offerTimeoutMs: 10_000,
  agentRateLimit: perMinute,
  operatorRateLimit: perMinute,
  metricsPublic: false,
  logLevel: 'fatal',
  logFormat: 'json',
} as const

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: Buffer
  /** of a JSON answer */
  readonly json: unknown
}

type Body = string | Uint8Array | ReadableStream
type Send = (method: string, path: string, body?: Body, headers?: Record<string, string>) => Promise<Answer>

export interface AttemptServer extends AsyncDisposable {
  readonly task: RunningTask
  /** Offers the next attempt; answers how its agent sends, with paths below the task's. */
  attempt(phase: Phase, options?: { seedOnly?: boolean }): Promise<Send>
  /** The same for a caller made by hand. */
  as(caller: Partial<AgentCaller>): Send
}

export async function attemptServer(): Promise<AttemptServer> {
  const task = await runningTask()
  const { store } = task.deps
  const key = await createPoolKey({ store, clock: systemClock }, { poolId: 'pool-test' })
  const server = await startServer({ config, store, logger: silentLogger(), version: '0.0.0-test' })
  const as = (caller: Partial<AgentCaller>): Send => {
    const credentials = {
      'x-app-key': key.app_key,
      'x-app-secret': key.app_secret,
      ...(caller.agentId === undefined ? {} : { 'x-agent-id': caller.agentId }),
      ...(caller.lease === undefined ? {} : { 'x-task-lease': caller.lease }),
    }
    return (method, path, body, headers) =>
      send(`${server.url}/api/v1/agents/tasks/${task.taskId}/${path}`, method, body, { ...credentials, ...headers })
  }
  return {
    task,
    as,
    attempt: async (phase, options) => as(await task.offer(phase, options)),
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]()
      await task[Symbol.asyncDispose]()
    },
  }
}

async function send(
  url: string,
  method: string,
  body: Body | undefined,
  headers: Record<string, string>,
): Promise<Answer> {
  const streams = body instanceof ReadableStream ? { duplex: 'half' as const } : {}
  const answer = await fetch(url, { method, headers, ...(body === undefined ? {} : { body }), ...streams })
  const bytes = Buffer.from(await answer.arrayBuffer())
  const isJson = answer.headers.get('content-type')?.startsWith('application/json') ?? false
  return {
    status: answer.status,
    headers: answer.headers,
    body: bytes,
    json: isJson && bytes.length < 100_000 ? JSON.parse(bytes.toString()) : undefined,
  }
}
