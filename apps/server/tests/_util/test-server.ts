/** The real server inside the test process: a socket on a free port, a SQLite file in a temporary directory. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type ErrorBody,
  ErrorBody as ErrorSchema,
  fits,
  type NewPoolKey,
  type Pool,
  type Workspace,
} from '@iac-agent/protocol'
import { type Clock, ClosingStack, type Logger, Secret, silentLogger, systemClock } from '@iac-agent/runtime'
import { expect } from 'vitest'
import type { ServerConfig } from '../../src/config/config.js'
import { startServer } from '../../src/server.js'
import { openSqliteStore } from '../../src/store/sqlite.js'
import type { Store } from '../../src/store/store.js'

export interface TestServerOptions extends Partial<ServerConfig> {
  clock?: Clock
  logger?: Logger
}

export interface ApiRequest {
  /** default: the admin's; null sends none */
  token?: string | null
  headers?: Record<string, string>
  /** an object is sent as JSON, anything else as it is */
  body?: object | string | Uint8Array | ReadableStream
}

export interface ApiAnswer {
  status: number
  headers: Headers
  /** undefined when the body is not JSON */
  json: unknown
  bytes: Buffer
}

export const adminToken = 'test-admin-token'

export class TestServer implements AsyncDisposable {
  private constructor(
    readonly url: string,
    readonly store: Store,
    readonly dataDir: string,
    readonly app: Awaited<ReturnType<typeof startServer>>['app'],
    private readonly closing: AsyncDisposable,
  ) {}

  static async start(options: TestServerOptions = {}): Promise<TestServer> {
    const { clock = systemClock, logger = silentLogger(), ...overrides } = options
    await using opening = new ClosingStack()
    const dataDir = await mkdtemp(join(tmpdir(), 'iac-server-test-'))
    opening.defer(() => rm(dataDir, { recursive: true, force: true }))
    const store = opening.use(await openSqliteStore({ dataDir, now: () => clock.now() }))
    const config = { ...defaults, dataDir, ...overrides }
    const server = opening.use(await startServer({ config, store, logger, clock, version: '0.0.0-test' }))
    return new TestServer(server.url, store, dataDir, server.app, opening.move())
  }

  /** Sends a request over the socket. */
  async call(method: string, path: string, request: ApiRequest = {}): Promise<ApiAnswer> {
    const { token = adminToken, body } = request
    const isPlain =
      body === undefined || typeof body === 'string' || body instanceof Uint8Array || body instanceof ReadableStream
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers: {
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        ...(isPlain ? {} : { 'content-type': 'application/json' }),
        ...request.headers,
      },
      ...(body === undefined ? {} : { body: isPlain ? body : JSON.stringify(body), duplex: 'half' }),
    } as RequestInit)
    const bytes = Buffer.from(await response.arrayBuffer())
    const isJson = response.headers.get('content-type')?.startsWith('application/json') === true
    const json: unknown = isJson ? JSON.parse(bytes.toString('utf8')) : undefined
    return { status: response.status, headers: response.headers, json, bytes }
  }

  /** The JSON of an answer that is a success. */
  async ok<T>(method: string, path: string, request: ApiRequest = {}): Promise<T> {
    const answer = await this.call(method, path, request)
    expect(answer.status, `${method} ${path}: ${answer.bytes.toString('utf8').slice(0, 500)}`).toBeLessThan(300)
    return answer.json as T
  }

  /** The error of an answer that is none. */
  async refused(
    method: string,
    path: string,
    request: ApiRequest = {},
  ): Promise<ErrorBody['error'] & { status: number }> {
    const answer = await this.call(method, path, request)
    expect(answer.status, `${method} ${path}`).toBeGreaterThanOrEqual(400)
    if (!fits(ErrorSchema, answer.json))
      throw new Error(`not an error body: ${answer.bytes.toString('utf8').slice(0, 500)}`)
    return { status: answer.status, ...answer.json.error }
  }

  async createPool(name = 'default'): Promise<Pool> {
    return this.ok('POST', '/api/v1/pools', { body: { name } })
  }

  /** A pool with a key pair. */
  async createPoolAndKey(name = 'default'): Promise<{ poolId: string; key: NewPoolKey }> {
    const pool = await this.createPool(name)
    return { poolId: pool.id, key: await this.ok('POST', `/api/v1/pools/${pool.id}/keys`) }
  }

  async createWorkspace(poolId: string, settings: object = {}, name = 'demo'): Promise<Workspace> {
    return this.ok('POST', '/api/v1/workspaces', { body: { name, pool_id: poolId, ...settings } })
  }

  async createToken(name: string, role: string): Promise<string> {
    const { token } = await this.ok<{ token: string }>('POST', '/api/v1/tokens', { body: { name, role } })
    return token
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve(this.closing[Symbol.asyncDispose]())
  }
}

const defaults: Omit<ServerConfig, 'dataDir'> = {
  listen: { host: '127.0.0.1', port: 0 },
  operatorToken: new Secret(adminToken),
  tls: undefined,
  trustedProxies: [],
  heartbeatIntervalMs: 10_000,
  leaseTtlMs: 60_000,
  offerTimeoutMs: 10_000,
  agentRateLimit: 1_000_000,
  operatorRateLimit: 1_000_000,
  metricsPublic: false,
  logLevel: 'silent',
  logFormat: 'json',
}
