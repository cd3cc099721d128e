/** An agent for scenarios that need a misbehaving one: it speaks as the test says, and comes back on a new socket when its server died. */
import { eventually, type FakeAgent, type FakeAgentOptions, startFakeAgent } from '@iac-agent/testkit'

export interface Order {
  task_id: number
  attempt: number
  lease: string
}

export class ReturningAgent implements AsyncDisposable {
  #epoch = 1
  #isGone = false

  private constructor(
    private readonly options: FakeAgentOptions,
    private now: FakeAgent,
  ) {
    this.#mind(now)
  }

  static async start(options: FakeAgentOptions): Promise<ReturningAgent> {
    return new ReturningAgent(options, await connected(options))
  }

  get id(): string {
    return this.now.agentId
  }

  get messages(): FakeAgent['messages'] {
    return this.now.messages
  }

  /** The order for this task that is at least `attempt`; it may come again after the server died. */
  async order(taskId: number, attempt = 1): Promise<Order> {
    const find = async () => {
      const fits = (one: { task_id: number; attempt?: number | undefined }) =>
        one.task_id === taskId && (one.attempt ?? 0) >= attempt
      const found = this.now.messages.find((one) => one.type === 'run_task' && fits(one.payload))
      if (found?.type === 'run_task') return found.payload
      await this.#comeBack()
      return undefined
    }
    const found = await eventually(`an order for task ${taskId}`, find, { timeoutMs: 30_000, everyMs: 50 })
    return { task_id: taskId, attempt: found.attempt ?? 0, lease: found.lease_token ?? '' }
  }

  /** Says something again until `isHeard`. */
  async say(type: string, payload: object, isHeard: () => Promise<boolean>): Promise<void> {
    this.now.send(type, payload)
    const look = async () => {
      if (await isHeard()) return true
      if (await this.#comeBack()) this.now.send(type, payload)
      return false
    }
    await eventually(`${type} is heard`, look, { timeoutMs: 80_000, everyMs: 50 })
  }

  /** Repeats the request until it is answered; throws for a refusal. */
  async http(method: string, path: string, body: object | Uint8Array | undefined, lease?: string): Promise<Response> {
    const ask = async () => {
      const response = await this.now.http(method, path, { ...(body && { body }), ...(lease && { lease }) })
      return response.status < 500 ? response : undefined
    }
    const response = await eventually(`${method} ${path} is answered`, ask, { everyMs: 50 })
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${await response.text()}`)
    return response
  }

  /** Its socket is gone, and it does not come back. */
  async leave(): Promise<void> {
    this.now.drop()
    await this.now.closed
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.now[Symbol.asyncDispose]()
  }

  /** A new socket when the last one is closed; answers whether one was needed. */
  async #comeBack(): Promise<boolean> {
    if (!this.#isGone) return false
    this.#epoch += 1
    this.now = await connected({ ...this.options, agentId: this.id, bootEpoch: this.#epoch })
    this.#mind(this.now)
    return true
  }

  #mind(agent: FakeAgent): void {
    this.#isGone = false
    void agent.closed.then(() => {
      this.#isGone = true
    })
  }
}

/** Registering and connecting may meet the dying server too. */
function connected(options: FakeAgentOptions): Promise<FakeAgent> {
  return eventually('the agent is connected', () => startFakeAgent(options), { everyMs: 50 })
}
