/** Thousands of simulated agents in this process: one HTTP pool, one timer for all heartbeats. */
import { randomBytes } from 'node:crypto'
import { type RunTask, timing } from '@iac-agent/protocol'
import { Pool } from 'undici'
import type { ClientOptions } from 'ws'
import { requireOpenFiles } from './open-files.js'
import { type FleetContext, SimulatedAgent } from './simulated-agent.js'

export interface FleetOptions {
  url: string
  key: { app_key: string; app_secret: string }
  planLimit?: number
  /** A server without our API: nobody registers. */
  isBare?: boolean
  /** Accepts the task unless given. */
  onRunTask?(agent: SimulatedAgent, task: RunTask, at: number): void
}

/** How often the one timer looks whose heartbeat is due. */
const tickMs = 20
/** Registrations, or sockets being opened, at the same time. */
const atOnce = 64

export class SimulatedFleet implements FleetContext, AsyncDisposable {
  readonly agents: SimulatedAgent[] = []
  /** Upgrades refused, by status. */
  readonly refusals = new Map<number, number>()
  /** Sockets closed by a code of the server's own (4xxx). */
  readonly verdicts = new Map<number, number>()
  /** Agents that are welcome now. */
  connected = 0
  acknowledged = 0
  readonly planLimit: number
  readonly #options: FleetOptions
  readonly #pool: Pool
  readonly #controlUrl: string
  readonly #keyHeaders: Record<string, string>
  readonly #secret = randomBytes(32).toString('base64url')
  /** Two fleets of one server are not the same agents. */
  readonly #name = `sim-${randomBytes(4).toString('hex')}`
  #ticks = 0
  readonly #timer: NodeJS.Timeout
  #onWelcome: () => void = () => {}

  constructor(options: FleetOptions) {
    this.#options = options
    this.planLimit = options.planLimit ?? 1
    this.#pool = new Pool(options.url, { connections: 32, pipelining: 1 })
    this.#controlUrl = `${options.url.replace(/^http/, 'ws')}/api/v1/agents/control?agent_id=`
    this.#keyHeaders = { 'x-app-key': options.key.app_key, 'x-app-secret': options.key.app_secret }
    this.#timer = setInterval(() => this.#tick(), tickMs)
  }

  /** Adds agents until there are `count`; resolves when all were welcomed. */
  async growTo(count: number): Promise<void> {
    await requireOpenFiles(count)
    const newcomers = Array.from({ length: count - this.agents.length }, (_, index) => {
      return new SimulatedAgent(`${this.#name}-${this.agents.length + index}`, this)
    })
    if (this.#options.isBare !== true) await inLanes(newcomers, (agent) => this.#register(agent))
    for (let from = 0; from < newcomers.length; from += atOnce) {
      const group = newcomers.slice(from, from + atOnce)
      this.agents.push(...group)
      for (const agent of group) agent.connect()
      await this.allWelcome()
    }
  }

  /** Resolves when every agent is welcome. */
  async allWelcome(): Promise<void> {
    while (this.connected < this.agents.length) {
      await new Promise<void>((resolve) => {
        this.#onWelcome = resolve
      })
    }
  }

  /** A request of an agent, below `/api/v1/agents`; answers the status. */
  async http(
    agent: SimulatedAgent,
    method: 'POST' | 'PUT',
    path: string,
    { body, type = 'application/json', lease }: { body: string | Buffer; type?: string; lease?: string },
  ): Promise<number> {
    const headers = {
      ...this.#headersOf(agent.id),
      'content-type': type,
      ...(lease === undefined ? {} : { 'x-task-lease': lease }),
    }
    const answer = await this.#pool.request({ method, path: `/api/v1/agents${path}`, headers, body })
    await answer.body.dump()
    return answer.statusCode
  }

  /** Ends a plan well. */
  async finish(agent: SimulatedAgent, task: RunTask): Promise<void> {
    agent.drop(task)
    const body = JSON.stringify({ status: 'success', changes_add: 0, changes_change: 0, changes_destroy: 0 })
    const status = await this.http(agent, 'PUT', `/tasks/${task.task_id}/status`, { body, lease: task.lease_token })
    if (status !== 200) throw new Error(`the status of task ${task.task_id} was answered ${status}`)
    agent.send('task_completed', { task_id: task.task_id, attempt: task.attempt })
  }

  door(agentId: string): { url: string; options: ClientOptions } {
    const headers = this.#headersOf(agentId)
    return { url: this.#controlUrl + agentId, options: { headers, perMessageDeflate: false, followRedirects: false } }
  }

  onWelcome(): void {
    this.connected += 1
    this.#onWelcome()
  }

  onRunTask(agent: SimulatedAgent, task: RunTask, at: number): void {
    if (this.#options.onRunTask) this.#options.onRunTask(agent, task, at)
    else agent.accept(task)
  }

  onAcknowledged(): void {
    this.acknowledged += 1
  }

  onRefused(status: number): void {
    this.refusals.set(status, (this.refusals.get(status) ?? 0) + 1)
  }

  onLost(code: number, wasWelcome: boolean): void {
    if (wasWelcome) this.connected -= 1
    if (code >= 4000) this.verdicts.set(code, (this.verdicts.get(code) ?? 0) + 1)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer)
    for (const agent of this.agents) agent.terminate()
    await this.#pool.destroy()
  }

  /** Each agent once in a heartbeat's interval, spread evenly. */
  #tick(): void {
    const slots = timing.heartbeatIntervalMs / tickMs
    const slot = this.#ticks++ % slots
    for (let index = slot; index < this.agents.length; index += slots) this.agents[index]?.heartbeat()
  }

  async #register(agent: SimulatedAgent): Promise<void> {
    const body = JSON.stringify({
      agent_id: agent.id,
      name: agent.id,
      version: '0.0.0',
      protocol_version: 1,
      labels: { zone: 'a' },
      plan_limit: this.planLimit,
      capabilities: { engines: ['terraform'], platform: 'linux_amd64' },
      work_root: '/var/lib/iac-agent/work',
    })
    const status = await this.http(agent, 'POST', '/register', { body })
    if (status !== 200) throw new Error(`the registration of ${agent.id} was answered ${status}`)
  }

  #headersOf(agentId: string): Record<string, string> {
    return { ...this.#keyHeaders, 'x-agent-id': agentId, 'x-agent-secret': `${this.#secret}-${agentId}` }
  }
}

/** `body` for every item, `atOnce` of them at a time. */
export async function inLanes<T>(items: readonly T[], body: (item: T) => Promise<unknown>): Promise<void> {
  const left = items.values()
  const lane = async () => {
    for (const item of left) await body(item)
  }
  await Promise.all(Array.from({ length: atOnce }, lane))
}
