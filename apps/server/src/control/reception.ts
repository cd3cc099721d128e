/** Receives sessions: decides who speaks for an agent, works off what it says, and keeps online and offline true in the database. */
import { type AgentMessage, closeCodes, decodeAgentMessage, InvalidInput } from '@iac-agent/protocol'
import type { Clock, Logger } from '@iac-agent/runtime'
import { agentConnected, agentDisconnected } from '../domain/agents/connect-agent.js'
import type { Store } from '../store/store.js'
import type { ControlHub } from './control-hub.js'
import { dispatch } from './dispatch.js'
import { BadFrame, type InflaterPool } from './inflater-pool.js'
import { type AppendLive, LiveFrames } from './live-frames.js'
import { judgeNewcomer } from './newcomer.js'
import type { Session } from './session.js'

export interface ReceptionOptions {
  readonly store: Store
  readonly clock: Clock
  readonly hub: ControlHub
  readonly storeEpoch: number
  readonly logger: Logger
  readonly pool: InflaterPool
  readonly appendLive: AppendLive
  readonly heartbeatIntervalMs: number
}

/** RFC 6455: the endpoint goes away; the payload is not what was agreed. */
const goingAway = 1001
const unsupportedData = 1003

export class Reception {
  readonly #options: ReceptionOptions
  /** every open socket, also those that do not speak for their agent (yet) */
  readonly #sessions = new Map<Session, Promise<void>>()

  constructor(options: ReceptionOptions) {
    this.#options = options
  }

  receive(session: Session): void {
    const { hub, pool, appendLive } = this.#options
    const frames = new LiveFrames(session, pool, appendLive)
    this.#sessions.set(session, Promise.resolve())
    if (hub.find(session.identity.agentId) === undefined) this.#admit(session)
    session.listen({
      onText: (text) => this.#onText(session, text),
      onBinary: (frame) => this.#onBinary(session, frames, frame),
      onClosed: () => {
        frames.close()
        this.#dismiss(session)
      },
    })
  }

  /** A key was revoked: its sockets are closed. */
  dismissKey(keyId: string): void {
    for (const session of this.#sessions.keys()) {
      if (session.identity.keyId === keyId) session.close(closeCodes.unauthorized, 'the key was revoked')
    }
  }

  /** Closes every socket, and waits until the database knows. */
  async close(): Promise<void> {
    const sessions = [...this.#sessions.keys()]
    for (const session of sessions) session.close(goingAway, 'the server stops')
    await Promise.all(sessions.map((session) => session.closed))
    await Promise.all(this.#sessions.values())
  }

  #onText(session: Session, text: string): void {
    const { keyExpiresAt } = session.identity
    if (keyExpiresAt !== null && keyExpiresAt <= this.#options.clock.now()) {
      session.close(closeCodes.unauthorized, 'the key has expired')
      return
    }
    const message = decoded(session, text)
    if (message === undefined || !this.#isItsAgents(session, message)) return
    if (message.type !== 'hello') session.hasSpoken = true
    this.#queue(session, () => dispatch(this.#options, session, message))
  }

  #onBinary(session: Session, frames: LiveFrames, frame: Buffer): void {
    if (this.#options.hub.find(session.identity.agentId) !== session) return
    try {
      session.working(this.#report(session, frames.take(frame)))
    } catch (err) {
      if (!(err instanceof BadFrame)) throw err
      session.logger.warn({ err }, 'live frame refused')
      session.close(unsupportedData, err.message)
    }
  }

  /** Whether this session speaks for its agent; its first message decides when another one does. */
  #isItsAgents(session: Session, message: AgentMessage): boolean {
    const present = this.#options.hub.find(session.identity.agentId)
    if (present === session) return true
    if (session.hasSpoken) return false
    const hello = message.type === 'hello' ? message.payload : undefined
    const isAlive = present !== undefined && present.silentForMs < 2 * this.#options.heartbeatIntervalMs
    const { isProven } = session.identity
    const there = { hello: present?.hello, isAlive, isProven: present?.identity.isProven === true }
    if (judgeNewcomer(there, { hello, isProven }) === 'refuse') {
      session.logger.warn('second agent with the same identity refused')
      session.close(closeCodes.identityInUse, `agent ${session.identity.agentId} is connected from another process`)
      return false
    }
    this.#admit(session)
    return true
  }

  #admit(session: Session): void {
    const { agentId } = session.identity
    const former = this.#options.hub.attach(session)
    former?.close(closeCodes.replaced, 'a newer connection of this agent took over')
    session.logger.info({ is_seed_only: session.identity.isSeedOnly }, 'agent connected')
    this.#queue(session, () => agentConnected(this.#options, { agentId, connectionId: session.connectionId }))
  }

  #dismiss(session: Session): void {
    const { agentId } = session.identity
    this.#options.hub.detach(session)
    this.#queue(session, () => agentDisconnected(this.#options, { agentId, connectionId: session.connectionId }))
    void this.#sessions.get(session)?.finally(() => this.#sessions.delete(session))
  }

  /** One after the other, in the order they came. */
  #queue(session: Session, work: () => Promise<void>): void {
    const before = this.#sessions.get(session) ?? Promise.resolve()
    const done = before.then(() => this.#report(session, work()))
    this.#sessions.set(session, done)
    session.working(done)
  }

  /** A message may be lost without harm, so one that cannot be worked off is: the agent says it again. */
  async #report(session: Session, work: Promise<void>): Promise<void> {
    try {
      await work
    } catch (err) {
      session.logger.error({ err }, 'message of agent not worked off')
    }
  }
}

/** Undefined for what is skipped: unknown types, so that versions can talk, and what is malformed. */
function decoded(session: Session, text: string): AgentMessage | undefined {
  try {
    const message = decodeAgentMessage(text)
    if (message === null) session.logger.info('message of unknown type skipped')
    return message ?? undefined
  } catch (err) {
    if (!(err instanceof InvalidInput)) throw err
    session.logger.warn({ err }, 'malformed message skipped')
    return undefined
  }
}
