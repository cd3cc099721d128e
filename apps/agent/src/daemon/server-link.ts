/** The agent's side of being known to the server: registers, then keeps the C&C connection for as long as the daemon lives. */
import { type AgentMessage, protocolVersion, type RegisterAnswer, type ServerMessage } from '@iac-agent/protocol'
import { CommandError, ExitCode, type Logger, pause } from '@iac-agent/runtime'
import { ControlManager, type ControlManagerOptions } from '../control/control-manager.js'
import type { ControlEnd } from '../control/control-state.js'
import type { LiveChannel } from '../delivery/log-lane.js'
import type { AgentApi } from '../server-api/agent-api.js'
import { ServerRefused } from '../server-api/errors.js'
import type { Retry } from '../server-api/retry.js'

export interface ServerLinkParts {
  api: AgentApi
  retry: Retry
  /** What `register` says of this agent. */
  description: Parameters<AgentApi['register']>[0]
  control: Omit<ControlManagerOptions, 'heartbeatIntervalMs' | 'onMessage' | 'postHeartbeat'>
  onMessage(message: ServerMessage): void
  /** Nothing runs and nothing is unsent: a refusal may end the process. */
  isIdle(): boolean
  /** Once: registered, connected and welcomed. */
  onReady(): void
  log: Logger
}

/** Between two tries when a refusal must not end the process yet. */
const refusedRetryMs = 10_000

export class ServerLink {
  #manager: ControlManager | undefined
  #onWelcome: (() => void) | undefined

  constructor(private readonly parts: ServerLinkParts) {
    this.#onWelcome = parts.onReady
  }

  /** Log frames over the socket; closed until connected. */
  readonly live: LiveChannel = ((link: ServerLink) => ({
    get isOpen() {
      return link.#manager?.live.isOpen ?? false
    },
    send: (record, bytes) => link.#manager?.live.send(record, bytes) ?? Promise.resolve(false),
  }))(this)

  /** Sends a hint, or drops it while not connected. */
  tell(message: AgentMessage): void {
    this.#manager?.send(message)
  }

  heartbeatNow(): void {
    this.#manager?.heartbeatNow()
  }

  /** The server's store was restored: it may not know this agent, or know it as it was. */
  async registerAgain(signal: AbortSignal): Promise<void> {
    const { api, retry, description, log } = this.parts
    try {
      await retry.run('register again', signal, () => api.register(description, signal))
    } catch (error) {
      if (!signal.aborted) log.error({ err: error }, 'the restored server refuses this agent')
    }
  }

  /** For `status`. */
  get control() {
    return this.#manager?.state ?? { phase: 'registering' as const }
  }

  /**
   * Registers (waiting for the server as long as it takes) and stays connected until `signal` aborts.
   * @throws CommandError (3) when the server refuses an agent that has nothing left to do
   */
  async run(signal: AbortSignal): Promise<ControlEnd> {
    const answer = await this.#register(signal)
    const { api, control, description } = this.parts
    this.#manager = new ControlManager({
      ...control,
      heartbeatIntervalMs: answer.heartbeat_interval_ms,
      postHeartbeat: (heartbeat, over) => api.heartbeat(description.agent_id ?? answer.agent_id, heartbeat, over),
      onMessage: (message) => this.#take(message),
    })
    return await this.#manager.run(signal)
  }

  async #register(signal: AbortSignal): Promise<RegisterAnswer> {
    const { api, retry, description, isIdle, log } = this.parts
    for (;;) {
      try {
        return await retry.run('register', signal, () => api.register(description, signal).catch(finalWhenIdle(isIdle)))
      } catch (error) {
        if (!(error instanceof ServerRefused)) throw error
        log.error({ err: error }, 'server refuses this agent; what is unsent is kept')
        await pause(refusedRetryMs, signal)
      }
    }
  }

  #take(message: ServerMessage): void {
    if (message.type === 'welcome' || message.type === 'heartbeat_ack') {
      this.#onWelcome?.()
      this.#onWelcome = undefined
    }
    this.parts.onMessage(message)
  }
}

/** Verdicts that waiting does not change end a process that has nothing to lose. */
function finalWhenIdle(isIdle: () => boolean): (error: unknown) => never {
  return (error) => {
    const isVerdict = error instanceof ServerRefused && !passing.has(error.code)
    if (isVerdict && isIdle()) {
      throw new CommandError(
        `the server refused this agent: ${error.message} (protocol ${protocolVersion})`,
        ExitCode.refused,
      )
    }
    throw error
  }
}

const passing: ReadonlySet<string> = new Set(['rate_limited', 'internal', 'unavailable'])
