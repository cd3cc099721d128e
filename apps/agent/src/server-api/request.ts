/** One request to our server: made from an endpoint's contract, its answer parsed, its failure classified. Never retries. */

import { Readable } from 'node:stream'
import {
  type AnswerOf,
  type Endpoint,
  ErrorBody,
  fits,
  InvalidInput,
  type ParamsOf,
  parse,
  type QueryOf,
} from '@iac-agent/protocol'
import { systemClock } from '@iac-agent/runtime'
import type { Static, TSchema } from 'typebox'
import { type Dispatcher, request } from 'undici'
import { type CredentialSource, credentialHeaders } from './credentials.js'
import { readRetryAfter, ServerRefused, ServerUnreachable } from './errors.js'
import { IdleTimer } from './idle-timer.js'
import type { Network } from './network.js'

export interface ServerRequestOptions {
  /** with the path prefix, if any */
  serverUrl: URL
  network: Network
  credentials: CredentialSource
  /** undefined until registered */
  agentId(): string | undefined
  /** after each 2xx: the server is there */
  onSuccess?(): void
  /** each answer of our server says in which life its store is */
  onStoreEpoch?(epoch: number): void
  /** a request in which nothing moves for this long has failed; default 30 s */
  idleTimeoutMs?: number
}

export interface CallInput<E extends Endpoint> {
  params?: ParamsOf<E>
  query?: QueryOf<E>
  json?: unknown
  /** bytes, or a file's in pieces */
  raw?: { body: Buffer | AsyncIterable<Uint8Array>; headers: Record<string, string> }
  /** the attempt's X-Task-Lease */
  lease?: string
  signal?: AbortSignal | undefined
}

/** An answer whose bytes are still to come. */
export interface RawAnswer {
  headers: Record<string, string | string[] | undefined>
  body: AsyncIterable<Buffer>
}

const loopback = /^(localhost|127(\.\d+){3}|\[::1\])$/
const mostErrorBytes = 64 * 1024
const mostAnswerBytes = 256 * 1024 * 1024

export class ServerRequest {
  readonly #options: ServerRequestOptions

  constructor(options: ServerRequestOptions) {
    this.#options = options
  }

  /** The server is on this host and nothing stands between: packing costs more than it saves. */
  get isLoopback(): boolean {
    const { serverUrl, network } = this.#options
    return loopback.test(serverUrl.hostname) && network.proxyFor(serverUrl) === undefined
  }

  /**
   * Sends one request and parses the answer.
   * @throws ServerRefused for a verdict of our server, ServerUnreachable for anything else but a 2xx of the contract's shape
   */
  async call<E extends Endpoint>(endpoint: E, input: CallInput<E>): Promise<AnswerOf<E>> {
    return (await this.acknowledge(endpoint, input)).answer
  }

  /** As `call`, with the life of the store in which the answer holds; undefined when the server does not say. */
  async acknowledge<E extends Endpoint>(
    endpoint: E,
    input: CallInput<E>,
  ): Promise<{ answer: AnswerOf<E>; epoch: number | undefined }> {
    return this.#exchange(endpoint, input, async ({ headers, body }) => {
      const epoch = storeEpochOf(headers)
      const schema = endpoint.answer.json
      if (schema === undefined) return { answer: undefined as AnswerOf<E>, epoch }
      return { answer: parseAnswer(schema, await readText(body, mostAnswerBytes), endpoint) as AnswerOf<E>, epoch }
    })
  }

  /** Sends one request and hands the answer's bytes to `take`; throws as `call`, and what `take` throws. */
  async fetch<E extends Endpoint, T>(
    endpoint: E,
    input: CallInput<E>,
    take: (answer: RawAnswer) => Promise<T>,
  ): Promise<T> {
    return this.#exchange(endpoint, input, take)
  }

  async #exchange<E extends Endpoint, T>(
    endpoint: E,
    input: CallInput<E>,
    take: (answer: RawAnswer) => Promise<T>,
  ): Promise<T> {
    const idle = new IdleTimer(this.#options.idleTimeoutMs ?? 30_000, input.signal)
    try {
      const response = await this.#send(endpoint, input, idle)
      const body = idle.watch(response.body)
      const epoch = storeEpochOf(response.headers)
      if (epoch !== undefined) this.#options.onStoreEpoch?.(epoch)
      if (response.statusCode < 200 || response.statusCode > 299) await this.#fail(endpoint, response, body)
      const answer = await take({ headers: response.headers, body })
      this.#options.onSuccess?.()
      return answer
    } catch (err) {
      throw translate(err, endpoint, idle, input.signal)
    } finally {
      idle.stop()
    }
  }

  async #send<E extends Endpoint>(endpoint: E, input: CallInput<E>, idle: IdleTimer): Promise<Dispatcher.ResponseData> {
    const { network, credentials, agentId } = this.#options
    const id = agentId()
    const url = urlOf(this.#options.serverUrl, endpoint, input)
    const { body, headers } = bodyOf(input, idle)
    return request(url, {
      method: endpoint.method,
      dispatcher: network.dispatcher,
      signal: idle.signal,
      headersTimeout: 0, // the idle timer is the one clock
      bodyTimeout: 0,
      headers: {
        ...credentialHeaders(credentials),
        ...(id === undefined ? {} : { 'x-agent-id': id }),
        ...(input.lease === undefined ? {} : { 'x-task-lease': input.lease }),
        ...headers,
      },
      ...(body === undefined ? {} : { body }),
    })
  }

  async #fail(endpoint: Endpoint, response: Dispatcher.ResponseData, body: AsyncIterable<Buffer>): Promise<never> {
    const retryAfter = response.headers['retry-after']
    const waitMs = readRetryAfter(typeof retryAfter === 'string' ? retryAfter : undefined, systemClock.now())
    const value = tryJson(await readText(body, mostErrorBytes))
    if (!fits(ErrorBody, value)) {
      throw new ServerUnreachable(
        'not_our_answer',
        `${endpoint.method} ${endpoint.path} was answered ${response.statusCode} by something that is not our server`,
        { httpStatus: response.statusCode, retryAfterMs: waitMs },
      )
    }
    if (value.error.code === 'unauthorized') await this.#options.credentials.reread()
    throw new ServerRefused(value, waitMs, storeEpochOf(response.headers))
  }
}

function storeEpochOf(headers: RawAnswer['headers']): number | undefined {
  const value = headers['x-store-epoch']
  return typeof value === 'string' && /^[1-9]\d{0,8}$/.test(value) ? Number(value) : undefined
}

function urlOf<E extends Endpoint>(serverUrl: URL, endpoint: E, input: CallInput<E>): URL {
  const params = (input.params ?? {}) as Record<string, string | number>
  const path = endpoint.path.replace(/:(\w+)/g, (_, name: string) => encodeURIComponent(String(params[name])))
  const url = new URL(serverUrl)
  url.pathname = url.pathname.replace(/\/$/, '') + path
  for (const [name, value] of Object.entries((input.query ?? {}) as Record<string, unknown>)) {
    if (value !== undefined) url.searchParams.set(name, String(value))
  }
  return url
}

function bodyOf<E extends Endpoint>(input: CallInput<E>, idle: IdleTimer) {
  if (input.raw !== undefined) {
    const { body, headers } = input.raw
    return {
      body: Buffer.isBuffer(body) ? body : Readable.from(idle.watchUpload(body), { objectMode: false }),
      headers,
    }
  }
  if (input.json === undefined) return { body: undefined, headers: {} }
  return { body: Buffer.from(JSON.stringify(input.json)), headers: { 'content-type': 'application/json' } }
}

function parseAnswer<S extends TSchema>(schema: S, text: string, endpoint: Endpoint): Static<S> {
  try {
    return parse(schema, tryJson(text), `answer of ${endpoint.name}`)
  } catch (err) {
    if (!(err instanceof InvalidInput)) throw err
    throw new ServerUnreachable('not_our_answer', err.message, { cause: err })
  }
}

function tryJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // fits no schema: classified by the caller
  }
}

async function readText(body: AsyncIterable<Buffer>, mostBytes: number): Promise<string> {
  const pieces: Buffer[] = []
  let size = 0
  for await (const piece of body) {
    size += piece.length
    if (size > mostBytes) break
    pieces.push(piece)
  }
  return Buffer.concat(pieces).toString()
}

/** Whatever undici or the OS threw becomes the network's; our own errors and the caller's abort stay as they are. */
function translate(err: unknown, endpoint: Endpoint, idle: IdleTimer, signal: AbortSignal | undefined): unknown {
  if (err instanceof ServerUnreachable || err instanceof ServerRefused) return err
  if (signal?.aborted) return signal.reason
  const what = `${endpoint.method} ${endpoint.path}`
  if (idle.isExpired)
    return new ServerUnreachable('timeout', `${what}: nothing moved for ${idle.ms} ms`, { cause: err })
  if (!isNetworkError(err)) return err
  return new ServerUnreachable('unreachable', `${what}: ${(err as Error).message || (err as { code?: string }).code}`, {
    cause: err,
  })
}

/** Errors of sockets, TLS, DNS and undici; errors of the disk (an upload's file, a download's) are not. */
function isNetworkError(err: unknown): boolean {
  if (!(err instanceof Error)) return false
  const { syscall, code } = err as NodeJS.ErrnoException
  if (syscall !== undefined)
    return (
      ['connect', 'read', 'write', 'getaddrinfo', 'socket', 'bind', 'shutdown'].includes(syscall) && !('path' in err)
    )
  return code !== undefined || err instanceof AggregateError
}
