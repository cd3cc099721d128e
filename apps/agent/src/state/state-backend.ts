/** The HTTP backend terraform talks to, on loopback: each state it writes is durable here before it is acknowledged. */
import { randomBytes, timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Logger } from '@iac-agent/runtime'
import { drawQuietPorts } from './quiet-port.js'
import { StateDesk, type StateDeskOptions } from './state-desk.js'

interface BackendCredentials {
  readonly username: string
  readonly password: string
}

export interface StateBackendOptions extends StateDeskOptions {
  /** The port of an earlier process of this attempt, which terraform goes on calling; default: a free one. */
  readonly port?: number
  /** As with the port; default: new ones. */
  readonly credentials?: BackendCredentials
  readonly log: Logger
}

/** So many ports are tried before any is taken. */
const drawnPorts = 20

/** The port is taken by somebody else. */
export class PortInUse extends Error {
  readonly code = 'port_in_use'
  constructor(
    readonly port: number,
    cause: unknown,
  ) {
    super(`port ${port}, which terraform expects its state backend on, is in use by another process`, { cause })
    this.name = 'PortInUse'
  }
}

export interface StateBackend extends AsyncDisposable {
  readonly port: number
  readonly credentials: BackendCredentials
  /** TF_HTTP_*: for terraform alone, though its local-exec children see them too. No lock addresses: the workspace is locked. */
  readonly env: Readonly<Record<string, string>>
  /** Ends after the requests in flight; terraform's next one waits until the backend is opened again. */
  close(): Promise<void>
}

/** Credentials for one attempt. */
function newCredentials(): BackendCredentials {
  return { username: 'iac-agent', password: randomBytes(24).toString('base64url') }
}

/** @throws PortInUse */
export async function openStateBackend(options: StateBackendOptions): Promise<StateBackend> {
  const { credentials = newCredentials(), log } = options
  const desk = await StateDesk.open(options)
  const server = createServer((request, response) => {
    response.shouldKeepAlive = false // a connection kept open would hold up close()
    if (!isAuthorized(request, credentials)) {
      log.debug({ url: request.url }, 'request without our credentials')
      // Terraform gives up at a 401. One whose agent is away, and whose port this backend has meanwhile, must go on asking.
      return end(response, 503, 'this is not the backend of those credentials')
    }
    answer(desk, request, response).catch((err: unknown) => {
      // It has read what it wanted and closed the connection before we saw the end of what we sent: that is no fault.
      if (isClosedEarly(err)) return void log.debug({ err, method: request.method }, 'state request closed early')
      // Terraform asks again each second, for a day: a full disk is waited out.
      log.error({ err, method: request.method }, 'state request failed')
      if (response.headersSent) response.destroy()
      else end(response, 500, 'the state could not be stored')
    })
  })
  const port = await (options.port === undefined ? listenQuietly(server) : listen(server, options.port))
  const close = async () => {
    const closed = once(server, 'close')
    server.close()
    await closed
  }
  let closing: Promise<void> | undefined
  const closeOnce = () => {
    closing ??= close()
    return closing
  }
  return { port, credentials, env: environment(port, credentials), close: closeOnce, [Symbol.asyncDispose]: closeOnce }
}

function environment(port: number, { username, password }: BackendCredentials): Record<string, string> {
  return {
    TF_HTTP_ADDRESS: `http://127.0.0.1:${port}/state`,
    TF_HTTP_USERNAME: username,
    TF_HTTP_PASSWORD: password,
    TF_HTTP_RETRY_MAX: '86400',
    TF_HTTP_RETRY_WAIT_MIN: '1',
    TF_HTTP_RETRY_WAIT_MAX: '1',
  }
}

/** On a port that stays free while no agent is there; on any when none can be had. */
async function listenQuietly(server: Server): Promise<number> {
  for (const port of drawQuietPorts(drawnPorts)) {
    try {
      return await listen(server, port)
    } catch (error) {
      if (!(error instanceof PortInUse)) throw error // the next one
    }
  }
  return await listen(server, 0)
}

async function listen(server: Server, port: number): Promise<number> {
  server.listen(port, '127.0.0.1')
  try {
    await once(server, 'listening')
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EADDRINUSE') throw new PortInUse(port, cause)
    throw cause
  }
  return (server.address() as AddressInfo).port
}

async function answer(desk: StateDesk, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.url !== '/state') return end(response, 404, 'only /state is here')
  switch (request.method) {
    case 'GET':
      return desk.serve(response)
    case 'POST': {
      const { status, message } = await desk.take(request)
      return end(response, status, message)
    }
    default:
      response.setHeader('Allow', 'GET, POST')
      return end(response, 405, 'the workspace is locked by its task; there is no lock here')
  }
}

function isClosedEarly(err: unknown): boolean {
  return err instanceof Error && 'code' in err && err.code === 'ERR_STREAM_PREMATURE_CLOSE'
}

function isAuthorized(request: IncomingMessage, { username, password }: BackendCredentials): boolean {
  const expected = Buffer.from(`Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`)
  const given = Buffer.from(request.headers.authorization ?? '')
  return given.length === expected.length && timingSafeEqual(given, expected)
}

function end(response: ServerResponse, status: number, message: string): void {
  response.writeHead(status, { 'Content-Type': 'text/plain' }).end(`${message}\n`)
}
