/** One C&C connection: the only writer and the only closer of its WebSocket. */

import type { IncomingMessage } from 'node:http'
import { type AgentMessage, ErrorBody, fits, limits } from '@iac-agent/protocol'
import { systemClock } from '@iac-agent/runtime'
import { HttpsProxyAgent } from 'https-proxy-agent'
import WebSocket from 'ws'
import { type CredentialSource, credentialHeaders } from '../server-api/credentials.js'
import { readRetryAfter, ServerRefused, ServerUnreachable } from '../server-api/errors.js'
import type { Network } from '../server-api/network.js'

export interface ControlTarget {
  /** with the path prefix, if any */
  serverUrl: URL
  agentId: string
  network: Network
  credentials: CredentialSource
}

/** How a connection ended; 1006 without a close frame. */
export interface ControlClose {
  code: number
  reason: string
}

/** From the first step to the open WebSocket; and without anything moving in between. */
const connectTimeoutMs = 20_000
const handshakeTimeoutMs = 10_000

export class ControlSocket {
  readonly #socket: WebSocket
  /** Resolves when the connection is over; never rejects. */
  readonly closed: Promise<ControlClose>
  /** Called with each text frame. */
  onText: (frame: string) => void = () => undefined
  #lastFrameAt = performance.now()

  private constructor(socket: WebSocket) {
    this.#socket = socket
    this.closed = new Promise((resolve) => {
      socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() }))
    })
    socket.on('error', () => socket.terminate()) // 'close' follows and tells
    socket.on('message', (data, isBinary) => {
      this.#lastFrameAt = performance.now()
      if (!isBinary) this.onText(data.toString())
    })
    socket.on('pong', () => {
      this.#lastFrameAt = performance.now()
    })
  }

  /**
   * Connects and authenticates by headers, through the proxy if there is one.
   * @throws ServerRefused for a verdict of our server, ServerUnreachable for anything else
   */
  static async connect(target: ControlTarget, signal: AbortSignal): Promise<ControlSocket> {
    signal.throwIfAborted()
    const givenUp = new AbortController()
    const socket = new WebSocket(socketUrl(target), socketOptions(target, givenUp.signal))
    const giveUp = () => {
      givenUp.abort()
      socket.terminate()
    }
    // ws's own timeout begins with the connection: a proxy that takes one and is silent is never given up by it
    const timer = setTimeout(giveUp, connectTimeoutMs)
    signal.addEventListener('abort', giveUp)
    try {
      await opened(socket)
      return new ControlSocket(socket)
    } finally {
      clearTimeout(timer)
      signal.removeEventListener('abort', giveUp)
    }
  }

  /** Milliseconds since anything was heard. */
  get silentMs(): number {
    return performance.now() - this.#lastFrameAt
  }

  send(message: AgentMessage): void {
    this.#socket.send(JSON.stringify(message), ignoreFailure)
  }

  async sendFrame(frame: Buffer): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#socket.send(frame, { binary: true }, (err) => (err == null ? resolve() : reject(err)))
    })
  }

  /** Asks for an answer on the WebSocket's own level. */
  ping(): void {
    this.#socket.ping(undefined, undefined, ignoreFailure)
  }

  /** Says goodbye; cut when the other side does not answer within `ws`'s 30 s or `terminate` comes first. */
  close(code: number, reason: string): void {
    this.#socket.close(code, reason)
  }

  /** Cuts the connection now: the other side is silent or the process leaves. */
  terminate(): void {
    this.#socket.terminate()
  }
}

/** A failed send is told by `closed`; messages are hints and the desired state is said again. */
const ignoreFailure = () => undefined

function socketUrl({ serverUrl, agentId }: ControlTarget): URL {
  const url = new URL(serverUrl)
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:'
  url.pathname = `${url.pathname.replace(/\/$/, '')}/api/v1/agents/control`
  url.searchParams.set('agent_id', agentId)
  return url
}

function socketOptions(
  { serverUrl, network, credentials, agentId }: ControlTarget,
  givenUp: AbortSignal,
): WebSocket.ClientOptions {
  const tls = network.ca === undefined ? {} : { ca: network.ca }
  const proxy = network.proxyFor(serverUrl)
  return {
    headers: { ...credentialHeaders(credentials), 'x-agent-id': agentId },
    perMessageDeflate: false,
    handshakeTimeout: handshakeTimeoutMs,
    maxPayload: limits.controlFrameBytes,
    followRedirects: false,
    ...tls,
    ...(proxy === undefined ? {} : { agent: new HttpsProxyAgent(proxy, { ...tls, signal: givenUp }) }),
  }
}

async function opened(socket: WebSocket): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve)
    socket.once('unexpected-response', (_, response: IncomingMessage) => {
      void refusal(response).then((err) => {
        reject(err)
        socket.terminate()
      })
    })
    socket.on('error', (cause) => {
      reject(new ServerUnreachable('unreachable', `C&C socket: ${cause.message}`, { cause }))
    })
  })
  socket.removeAllListeners('error')
}

/** An upgrade that was answered by something else than an upgrade. */
async function refusal(response: IncomingMessage): Promise<Error> {
  const retryAfterMs = readRetryAfter(response.headers['retry-after'], systemClock.now())
  const httpStatus = response.statusCode ?? 0
  const body = await readBody(response)
  if (fits(ErrorBody, body)) return new ServerRefused(body, retryAfterMs)
  const message = `the upgrade to a WebSocket was answered ${httpStatus} by something that is not our server`
  return new ServerUnreachable('not_our_answer', message, { httpStatus, retryAfterMs })
}

async function readBody(response: IncomingMessage): Promise<unknown> {
  let text = ''
  try {
    for await (const piece of response) {
      text += String(piece)
      if (text.length > limits.controlFrameBytes) break
    }
    return JSON.parse(text)
  } catch {
    return undefined // cut or no JSON: fits no schema
  }
}
