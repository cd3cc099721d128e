/** An agent as the seed's report describes it, with bare ws and HTTP: the six endpoints, the seed's messages, the key headers, nothing of ours. */
import { once } from 'node:events'
import { eventually } from '@iac-agent/testkit'
import WebSocket from 'ws'

/** A message of the seed; fields it does not know are there all the same. */
interface SeedMessage {
  type: string
  payload: { task_id: number; workspace_id?: string; action?: string }
}

/** Connected from `connect` to `close`. */
export class SeedAgent {
  readonly #messages: SeedMessage[] = []
  #read = 0

  private constructor(
    readonly id: string,
    readonly api: string,
    readonly headers: Record<string, string>,
    readonly socket: WebSocket,
  ) {
    socket.on('message', (text) => this.#messages.push(JSON.parse(String(text)) as SeedMessage))
  }

  static async connect(url: string, key: { app_key: string; app_secret: string }, id: string): Promise<SeedAgent> {
    const headers = { 'X-App-Key': key.app_key, 'X-App-Secret': key.app_secret }
    const api = `${url}/api/v1/agents`
    const socket = new WebSocket(`${api.replace('http', 'ws')}/control?agent_id=${id}`, { headers })
    const agent = new SeedAgent(id, api, { ...headers, 'X-Agent-ID': id }, socket)
    await once(socket, 'open')
    agent.heartbeat([])
    return agent
  }

  /** Tasks it was told to run so far. */
  get offered(): number[] {
    return this.#messages.filter(({ type }) => type === 'run_task').map(({ payload }) => payload.task_id)
  }

  /** The next message of this type; earlier ones of any type are passed over. */
  async next(type: string): Promise<SeedMessage['payload']> {
    const look = () => this.#messages.slice(this.#read).find((message) => message.type === type)
    const message = await eventually(`a ${type} from the server`, look)
    this.#read = this.#messages.indexOf(message) + 1
    return message.payload
  }

  heartbeat(tasks: number[]): void {
    const counts = { plan_running: tasks.length, plan_limit: 3, apply_running: false, current_tasks: tasks }
    const use = { cpu_usage: 12.5, mem_usage: 40.1, timestamp: new Date().toISOString() }
    this.send('heartbeat', { agent_id: this.id, status: tasks.length > 0 ? 'busy' : 'idle', ...counts, ...use })
  }

  send(type: string, payload: object): void {
    this.socket.send(JSON.stringify({ type, payload }))
  }

  get(path: string): Promise<Response> {
    return fetch(`${this.api}/tasks/${path}`, { headers: this.headers })
  }

  /** POST, or PUT for a status. */
  give(path: string, body: object): Promise<Response> {
    return fetch(`${this.api}/tasks/${path}`, {
      method: path.endsWith('/status') ? 'PUT' : 'POST',
      headers: { ...this.headers, 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    })
  }

  async close(): Promise<void> {
    this.socket.close()
    await once(this.socket, 'close')
  }
}
