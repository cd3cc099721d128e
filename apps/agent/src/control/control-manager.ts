/** The C&C manager: keeps one authenticated connection to the server, heartbeats on it, hands messages on, reconnects for ever. */
import {
  type AgentMessage,
  type Desired,
  decodeServerMessage,
  type Heartbeat,
  type InventoryTask,
  protocolVersion,
  type ServerMessage,
  timing,
} from '@iac-agent/protocol'
import { backoffMs, type Logger, Loop, systemClock } from '@iac-agent/runtime'
import { ServerRefused, ServerUnreachable } from '../server-api/errors.js'
import {
  type ControlEnd,
  type ControlPhase,
  type ControlState,
  type Setback,
  setbackOfClose,
  setbackOfError,
} from './control-state.js'
import { HostUsage } from './host-usage.js'
import { LiveLane } from './live-lane.js'
import { ControlSocket, type ControlTarget } from './socket.js'

export interface ControlManagerOptions extends ControlTarget {
  /** of this process, and how many starts its data directory has seen */
  instanceId: string
  bootEpoch: number
  heartbeatIntervalMs: number
  /** silence after which the connection is cut; default three heartbeats */
  silenceMs?: number
  /** anything unfinished: reconnect within 3 s, else 10 s */
  isBusy(): boolean
  /** what this agent holds, for hello */
  inventory(): InventoryTask[]
  /** without agent_id, cpu_usage, mem_usage and timestamp, which are added */
  heartbeat(): Heartbeat
  /** one heartbeat over HTTP, used while the WebSocket does not come up */
  postHeartbeat(heartbeat: Heartbeat, signal: AbortSignal): Promise<Desired>
  onMessage(message: ServerMessage): void
  onState?(state: ControlState): void
  log: Logger
}

/** Connections that fail in a row before heartbeats go over HTTP. */
const failuresBeforeHttp = 2
/** How long a goodbye may take. */
const goodbyeMs = 1000

export class ControlManager {
  /** The way of live log bytes. */
  readonly live = new LiveLane()
  readonly #options: ControlManagerOptions
  readonly #log: Logger
  readonly #usage = new HostUsage()
  readonly #heartbeats: Loop
  #state: ControlState = { phase: 'connecting', since: systemClock.now(), problem: undefined }
  #socket: ControlSocket | undefined
  /** connections in a row that brought no welcome */
  #failures = 0
  #pauseMs = 0
  #end: ControlEnd = { end: 'stopped' }

  constructor(options: ControlManagerOptions) {
    this.#options = options
    this.#log = options.log
    this.#heartbeats = new Loop({
      everyMs: options.heartbeatIntervalMs,
      body: (signal) => this.#beat(signal),
      onError: (err) => this.#log.warn({ err }, 'heartbeat failed'),
    })
  }

  get state(): ControlState {
    return this.#state
  }

  /** Connects and reconnects until abort, or until another process has this identity. Run once. */
  async run(signal: AbortSignal): Promise<ControlEnd> {
    const over = new AbortController()
    const both = AbortSignal.any([signal, over.signal])
    const connections = new Loop({
      everyMs: () => this.#pauseMs,
      body: async (loop) => {
        const setback = await this.#connection(loop)
        if (loop.aborted) return
        this.#pause(setback)
        if (setback.end !== undefined) over.abort()
      },
      onError: (err) => this.#log.error({ err }, 'control connection failed'),
    })
    await Promise.all([connections.run(both), this.#heartbeats.run(both)])
    this.#move('stopped', this.#state.problem)
    return this.#end
  }

  /** Sends a message; false when not connected (messages are hints: the desired state is said again). */
  send(message: AgentMessage): boolean {
    this.#socket?.send(message)
    return this.#socket !== undefined
  }

  /** What a heartbeat tells has changed: send one now. */
  heartbeatNow(): void {
    this.#heartbeats.wake()
  }

  /** One connection from its attempt to its end. */
  async #connection(signal: AbortSignal): Promise<Setback> {
    let socket: ControlSocket
    try {
      socket = await ControlSocket.connect(this.#options, signal)
    } catch (err) {
      return setbackOfError(err)
    }
    const leave = () => {
      socket.close(1001, 'agent stops')
      setTimeout(() => socket.terminate(), goodbyeMs).unref()
    }
    signal.addEventListener('abort', leave)
    if (signal.aborted) leave()
    else this.#open(socket)
    const { code, reason } = await socket.closed
    signal.removeEventListener('abort', leave)
    this.#socket = undefined
    this.live.attach(undefined)
    return setbackOfClose(code, reason)
  }

  #open(socket: ControlSocket): void {
    const { agentId, instanceId, bootEpoch, inventory } = this.#options
    socket.onText = (frame) => this.#receive(frame)
    socket.send({
      type: 'hello',
      payload: {
        protocol_version: protocolVersion,
        agent_id: agentId,
        instance_id: instanceId,
        boot_epoch: bootEpoch,
        tasks: inventory(),
      },
    })
    this.#socket = socket
    this.live.attach(socket)
    this.#heartbeats.wake()
  }

  #receive(frame: string): void {
    try {
      const message = decodeServerMessage(frame)
      if (message === null) {
        this.#log.info('message of an unknown type skipped')
        return
      }
      if (message.type === 'welcome') this.#welcomed()
      this.#options.onMessage(message)
    } catch (err) {
      this.#log.warn({ err }, 'message skipped')
    }
  }

  #welcomed(): void {
    this.#failures = 0
    this.#move('connected', undefined)
  }

  #pause({ phase, problem, atLeastMs, end }: Setback): void {
    if (phase === 'unauthorized') void this.#options.credentials.reread()
    const maxMs = this.#options.isBusy() ? timing.reconnectBusyMs : timing.reconnectIdleMs
    this.#pauseMs = Math.max(atLeastMs, backoffMs(this.#failures, { firstMs: timing.reconnectFirstMs, maxMs }))
    this.#failures++
    if (end !== undefined) this.#end = end
    this.#move(phase === 'waiting' && this.#state.phase === 'http_only' ? 'http_only' : phase, problem)
  }

  async #beat(signal: AbortSignal): Promise<void> {
    const { agentId, heartbeat, heartbeatIntervalMs, silenceMs = 3 * heartbeatIntervalMs } = this.#options
    const payload: Heartbeat = {
      ...heartbeat(),
      ...this.#usage.sample(),
      agent_id: agentId,
      timestamp: new Date(systemClock.now()).toISOString(),
    }
    const socket = this.#socket
    if (socket === undefined) return this.#beatOverHttp(payload, signal)
    if (socket.silentMs > silenceMs) {
      this.#log.warn({ silent_ms: Math.round(socket.silentMs) }, 'server is silent, connection cut')
      socket.terminate()
      return
    }
    socket.send({ type: 'heartbeat', payload })
    socket.ping()
  }

  /** A network that blocks WebSockets may let HTTP pass. */
  async #beatOverHttp(payload: Heartbeat, signal: AbortSignal): Promise<void> {
    if (this.#failures < failuresBeforeHttp) return
    try {
      const desired = await this.#options.postHeartbeat(payload, signal)
      if (this.#state.phase === 'waiting') this.#move('http_only', this.#state.problem)
      this.#options.onMessage({ type: 'heartbeat_ack', payload: desired })
    } catch (err) {
      if (!(err instanceof ServerRefused || err instanceof ServerUnreachable)) throw err
      this.#log.debug({ err }, 'heartbeat over http failed too')
      if (this.#state.phase === 'http_only') this.#move('waiting', err.message)
    }
  }

  #move(phase: ControlPhase, problem: string | undefined): void {
    if (this.#state.phase === phase && this.#state.problem === problem) return
    const since = this.#state.phase === phase ? this.#state.since : systemClock.now()
    const level = phase === 'connected' || phase === 'stopped' ? 'info' : phase === this.#state.phase ? 'debug' : 'warn'
    this.#state = { phase, since, problem }
    this.#log[level]({ phase, problem }, 'control state')
    this.#options.onState?.(this.#state)
  }
}
