/** An agent without a host: one real socket that registers, says hello, heartbeats, takes work and comes back after a loss, as protocol.md says. */
import type { RunTask } from '@iac-agent/protocol'
import WebSocket, { type ClientOptions } from 'ws'
import { reconnectPauseMs } from './reconnect-pause.js'

/** What a fleet's agents share: where the server is, and who hears of what happens to them. */
export interface FleetContext {
  readonly planLimit: number
  /** The control socket of one agent. */
  door(agentId: string): { url: string; options: ClientOptions }
  onWelcome(): void
  /** @param at of `performance.now()`, before the message was parsed */
  onRunTask(agent: SimulatedAgent, task: RunTask, at: number): void
  onAcknowledged(): void
  /** An upgrade was answered by this status. */
  onRefused(status: number): void
  /** A socket closed with this code. */
  onLost(code: number, wasWelcome: boolean): void
}

const ack = '{"type":"heartbeat_ack"'
const nothing: readonly RunTask[] = []

export class SimulatedAgent {
  /** What it runs, as heartbeats and hello list it. */
  running: readonly RunTask[] = nothing
  #isWelcome = false
  #socket: WebSocket | undefined
  /** Connections in a row that brought no welcome. */
  #failures = 0
  #retry: NodeJS.Timeout | undefined

  constructor(
    readonly id: string,
    private readonly fleet: FleetContext,
  ) {}

  connect(): void {
    const { url, options } = this.fleet.door(this.id)
    const socket = new WebSocket(url, options)
    let atLeastMs = 0
    socket.on('open', () => this.#open(socket))
    socket.on('message', (frame: Buffer, isBinary) => {
      if (!isBinary) this.#take(frame.toString('latin1'))
    })
    socket.on('unexpected-response', (request, { statusCode = 0, headers }) => {
      atLeastMs = Number(headers['retry-after'] ?? 0) * 1000
      this.fleet.onRefused(statusCode)
      request.destroy()
    })
    socket.on('error', ignore) // `close` follows and tells
    socket.on('close', (code) => this.#lost(code, atLeastMs))
    this.#socket = socket
  }

  /** One of the heartbeats the server asked for at registration, with the ping the agent sends beside it. */
  heartbeat(): void {
    if (this.#socket?.readyState !== WebSocket.OPEN) return
    this.#socket.send(this.#heartbeatFrame())
    this.#socket.ping()
  }

  send(type: string, payload: object): void {
    this.#socket?.send(JSON.stringify({ type, payload }))
  }

  accept(task: RunTask): void {
    this.running = [...this.running, task]
    this.send('task_accepted', { task_id: task.task_id, attempt: task.attempt })
  }

  /** It no longer holds the task. */
  drop(task: RunTask): void {
    const left = this.running.filter(({ task_id }) => task_id !== task.task_id)
    this.running = left.length === 0 ? nothing : left
  }

  /** Leaves for good. */
  terminate(): void {
    clearTimeout(this.#retry)
    this.#socket?.removeAllListeners('close').terminate()
    this.#socket = undefined
  }

  #open(socket: WebSocket): void {
    const tasks = this.running.map(({ task_id, attempt, action }) => {
      return { task_id, attempt, action, stage: 'planning', log_length: 0 }
    })
    const who = { protocol_version: 1, agent_id: this.id, instance_id: `sim-${this.id}`, boot_epoch: 1 }
    socket.send(JSON.stringify({ type: 'hello', payload: { ...who, tasks } }))
    socket.send(this.#heartbeatFrame())
  }

  #take(text: string): void {
    if (text.startsWith(ack)) {
      this.fleet.onAcknowledged()
      return
    }
    const at = performance.now()
    const { type, payload } = JSON.parse(text) as { type: string; payload: unknown }
    if (type === 'welcome') this.#welcomed()
    else if (type === 'run_task') this.fleet.onRunTask(this, payload as RunTask, at)
  }

  #welcomed(): void {
    this.#failures = 0
    this.#isWelcome = true
    this.fleet.onWelcome()
  }

  #lost(code: number, atLeastMs: number): void {
    this.#socket = undefined
    this.fleet.onLost(code, this.#isWelcome)
    this.#isWelcome = false
    const pauseMs = Math.max(atLeastMs, reconnectPauseMs(this.#failures++, this.running.length > 0))
    this.#retry = setTimeout(() => this.connect(), pauseMs)
  }

  #heartbeatFrame(): string {
    const tasks = this.running.map(({ task_id, attempt }) => ({ task_id, attempt, stage: 'planning' }))
    const { planLimit } = this.fleet
    const payload = {
      status: tasks.length > 0 ? 'busy' : 'idle',
      plan_running: tasks.length,
      plan_limit: planLimit,
      apply_running: false,
      current_tasks: tasks,
      disk_free_bytes: 100_000_000_000,
      cpu_usage: 1.5,
      mem_usage: 12.5,
      agent_id: this.id,
      timestamp: new Date().toISOString(),
    }
    return JSON.stringify({ type: 'heartbeat', payload })
  }
}

function ignore(): void {}
