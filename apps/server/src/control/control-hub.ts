/** Which agents this process can reach: agent id -> session. Implements the seed's six methods, and drain. */
import type { Phase, TaskType } from '@iac-agent/protocol'
import { mayApply } from '@iac-agent/protocol'
import type { AgentLink, OfferedLease } from '../domain/ports.js'
import type { Session } from './session.js'

export class ControlHub implements AgentLink {
  readonly #sessions = new Map<string, Session>()
  /** tasks somebody watches, by agent: said again to a new connection */
  readonly #streams = new Map<string, Set<number>>()

  find(agentId: string): Session | undefined {
    return this.#sessions.get(agentId)
  }

  sessions(): Session[] {
    return [...this.#sessions.values()]
  }

  /** Makes `session` the agent's; answers the one it replaces. */
  attach(session: Session): Session | undefined {
    const { agentId } = session.identity
    const former = this.#sessions.get(agentId)
    this.#sessions.set(agentId, session)
    return former
  }

  /** Answers false when another session has become the agent's meanwhile. */
  detach(session: Session): boolean {
    const { agentId } = session.identity
    return this.#sessions.get(agentId) === session && this.#sessions.delete(agentId)
  }

  /** Says again which tasks are watched. */
  resumeStreams(agentId: string): void {
    for (const taskId of this.#streams.get(agentId) ?? []) {
      this.#sessions.get(agentId)?.send({ type: 'start_realtime_stream', payload: { task_id: taskId } })
    }
  }

  sendTaskToAgent(agentId: string, taskId: number, workspaceId: string, action: Phase, lease: OfferedLease): boolean {
    const payload = {
      task_id: taskId,
      workspace_id: workspaceId,
      action,
      attempt: lease.attempt,
      lease_token: lease.leaseToken,
      lease_ttl_ms: lease.leaseTtlMs,
    }
    return this.#ready(agentId)?.send({ type: 'run_task', payload }) ?? false
  }

  cancelTaskOnAgent(agentId: string, taskId: number, options?: { attempt: number; force: boolean }): boolean {
    const payload = { task_id: taskId, ...options }
    return this.#ready(agentId)?.send({ type: 'cancel_task', payload }) ?? false
  }

  startRealtimeStream(agentId: string, taskId: number): boolean {
    const watched = this.#streams.get(agentId) ?? new Set()
    this.#streams.set(agentId, watched.add(taskId))
    return this.#ready(agentId)?.send({ type: 'start_realtime_stream', payload: { task_id: taskId } }) ?? false
  }

  stopRealtimeStream(agentId: string, taskId: number): boolean {
    const watched = this.#streams.get(agentId)
    watched?.delete(taskId)
    if (watched?.size === 0) this.#streams.delete(agentId)
    return this.#ready(agentId)?.send({ type: 'stop_realtime_stream', payload: { task_id: taskId } }) ?? false
  }

  isAgentAvailable(agentId: string, taskType: TaskType): boolean {
    const session = this.#ready(agentId)
    if (session === undefined) return false
    if (session.isDrained) return false
    const { status, plan_running = 0, plan_limit = 1, apply_running = 0 } = session.heartbeat ?? {}
    if (status === 'draining' || status === 'degraded' || Number(apply_running) > 0) return false
    return mayApply(taskType) ? plan_running === 0 : plan_running < plan_limit
  }

  getConnectedAgents(): string[] {
    return this.sessions()
      .filter((session) => session.isReady)
      .map((session) => session.identity.agentId)
  }

  /** A seed-only agent knows no such message: it is only given nothing. */
  drainAgent(agentId: string, reason: string): boolean {
    return this.#wish(agentId, true)?.send({ type: 'drain', payload: { reason } }) ?? false
  }

  undrainAgent(agentId: string): boolean {
    const payload = { desired: [], draining: false }
    return this.#wish(agentId, false)?.send({ type: 'heartbeat_ack', payload }) ?? false
  }

  #wish(agentId: string, isDrained: boolean): Session | undefined {
    const session = this.#sessions.get(agentId)
    if (session !== undefined) session.isDrained = isDrained
    return session?.hello === undefined ? undefined : session
  }

  #ready(agentId: string): Session | undefined {
    const session = this.#sessions.get(agentId)
    return session?.isReady === true ? session : undefined
  }
}
