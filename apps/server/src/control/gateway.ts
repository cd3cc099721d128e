/** The C&C WebSocket's door: credentials are checked before the upgrade; behind it one session per socket. */
import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { ApiError, agentFleetEndpoints, limits } from '@iac-agent/protocol'
import type { Clock, Logger } from '@iac-agent/runtime'
import { WebSocketServer } from 'ws'
import { admitAgent } from '../domain/agents/connect-agent.js'
import type { PoolIdentity } from '../domain/auth/key-check.js'
import { disconnectAllAgents } from '../store/agent-rows.js'
import type { Store } from '../store/store.js'
import type { ControlHub } from './control-hub.js'
import { InflaterPool } from './inflater-pool.js'
import type { AppendLive } from './live-frames.js'
import { asksForWebSocket, serveWithoutUpgrade } from './plain-http.js'
import { Reception } from './reception.js'
import { refuseUpgrade } from './refuse-upgrade.js'
import { Session, type SessionIdentity } from './session.js'

/** Whose key the request carries. Throws ApiError `unauthorized`, `rate_limited`. */
type Authenticate = (request: IncomingMessage) => Promise<PoolIdentity>

export interface GatewayOptions {
  readonly store: Store
  readonly clock: Clock
  readonly hub: ControlHub
  readonly storeEpoch: number
  readonly logger: Logger
  readonly authenticate: Authenticate
  readonly appendLive: AppendLive
  readonly heartbeatIntervalMs: number
  /** without any frame for this long the socket is closed and the agent is offline */
  readonly silenceMs: number
}

export class Gateway implements AsyncDisposable {
  readonly #options: GatewayOptions
  readonly #sockets: WebSocketServer
  readonly #reception: Reception
  #isStopping = false
  #unsubscribe: (() => void) | undefined

  constructor(options: GatewayOptions) {
    this.#options = options
    this.#sockets = new WebSocketServer({
      noServer: true,
      // with compression a connection costs about 248 KiB after its first message, without 11 KiB
      perMessageDeflate: false,
      maxPayload: limits.controlFrameBytes,
    })
    this.#reception = new Reception({ ...options, pool: new InflaterPool() })
  }

  /** Begins to take upgrades; nobody is connected to a server that has just started, and the database then says so. */
  async attach(server: Server): Promise<void> {
    await this.#options.store.transaction('disconnect_agents', (tx) => disconnectAllAgents(tx))
    this.#unsubscribe = this.#options.store.changes.subscribe((changes) => {
      for (const change of changes) if (change.kind === 'key') this.#reception.dismissKey(change.keyId)
    })
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      if (asksForWebSocket(request)) void this.#upgrade(request, socket, head)
      else serveWithoutUpgrade(server, request, socket, head)
    })
  }

  /** Closes every socket (1001) and waits until the database says so. */
  async [Symbol.asyncDispose](): Promise<void> {
    // The listener stays: who comes now must be answered, or its connection holds the server for ever.
    this.#isStopping = true
    this.#unsubscribe?.()
    await this.#reception.close()
    this.#sockets.close()
  }

  async #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const onSocketError = (err: Error) => this.#options.logger.info({ err }, 'socket failed before its upgrade')
    socket.on('error', onSocketError)
    try {
      this.#requireOpen()
      const identity = await this.#identify(request)
      if (socket.destroyed) return
      this.#requireOpen()
      socket.off('error', onSocketError)
      this.#sockets.handleUpgrade(request, socket, head, (webSocket) => {
        const { silenceMs, logger, clock } = this.#options
        const session = new Session(identity, webSocket, { silenceMs, logger, monotonic: () => clock.monotonic() })
        this.#reception.receive(session)
      })
    } catch (err) {
      refuseUpgrade(socket, err, this.#options.logger)
    }
  }

  #requireOpen(): void {
    if (this.#isStopping) throw new ApiError('unavailable', 'the server stops')
  }

  async #identify(request: IncomingMessage): Promise<SessionIdentity> {
    const [path, query] = (request.url ?? '').split('?', 2)
    if (path !== agentFleetEndpoints.control.path) throw new ApiError('not_found', 'no WebSocket here')
    const key = await this.#options.authenticate(request)
    const agentId = new URLSearchParams(query).get('agent_id') ?? ''
    if (agentId === '' || agentId.length > limits.nameLength) {
      throw new ApiError('invalid_request', `agent_id must be given, with at most ${limits.nameLength} characters`, {
        field: 'agent_id',
      })
    }
    const { 'x-agent-secret': agentSecret } = request.headers
    const proof = typeof agentSecret === 'string' ? { agentSecret } : {}
    const agent = await admitAgent(this.#options, { agentId, poolId: key.poolId, ...proof })
    return { agentId, poolId: key.poolId, keyId: key.keyId, keyExpiresAt: key.expiresAt, ...agent }
  }
}
