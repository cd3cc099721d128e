/** One message of an agent -> the use case it means, and what is answered. */
import { type AgentMessage, ApiError, assertNever, closeCodes, type ServerMessage } from '@iac-agent/protocol'
import type { Clock } from '@iac-agent/runtime'
import { type HeartbeatAnswer, heartbeat } from '../domain/agents/heartbeat.js'
import type { RunOrder } from '../domain/agents/run-order.js'
import { sayHello } from '../domain/agents/say-hello.js'
import { acceptedByAgent, rejectedByAgent } from '../domain/attempts/answer-offer.js'
import { noteEndHint } from '../domain/tasks/unreported-end.js'
import type { Store } from '../store/store.js'
import type { ControlHub } from './control-hub.js'
import type { Session } from './session.js'

export interface DispatchDeps {
  readonly store: Store
  readonly clock: Clock
  readonly hub: ControlHub
  /** told with what is wanted: what was acknowledged under another one may be gone */
  readonly storeEpoch: number
}

/** @throws what the store throws; verdicts of the domain are handled here */
export async function dispatch(deps: DispatchDeps, session: Session, message: AgentMessage): Promise<void> {
  const { agentId } = session.identity
  switch (message.type) {
    case 'hello':
      return greet(deps, session, message.payload)
    case 'heartbeat':
      session.heartbeat = message.payload
      return answer(deps, session, await heartbeat(deps, { agentId, beat: message.payload }), 'heartbeat_ack')
    case 'task_accepted': {
      const { task_id: taskId, attempt } = message.payload
      const isOurs = await acceptedByAgent(deps, { agentId, taskId, attempt })
      session.logger.info({ task_id: taskId, attempt, is_ours: isOurs }, 'task accepted')
      return isOurs ? undefined : forget(session, taskId, attempt)
    }
    case 'task_rejected': {
      const { task_id: taskId, attempt, reason = '' } = message.payload
      const isOpen = await rejectedByAgent(deps, { agentId, taskId, attempt, reason })
      session.logger.info({ task_id: taskId, attempt, reason, is_open: isOpen }, 'task rejected')
      return
    }
    case 'task_completed':
    case 'task_failed': {
      const { task_id: taskId, attempt, error } = message.payload
      await noteEndHint(deps, { agentId, taskId, attempt, error })
      return
    }
    default:
      return assertNever(message)
  }
}

type HelloMessage = Extract<AgentMessage, { type: 'hello' }>

async function greet(deps: DispatchDeps, session: Session, hello: HelloMessage['payload']): Promise<void> {
  const { agentId } = session.identity
  try {
    const said = await sayHello(deps, { agentId, hello })
    session.hello = hello
    session.hasSpoken = true
    answer(deps, session, said, 'welcome')
    deps.hub.resumeStreams(agentId)
  } catch (err) {
    if (!(err instanceof ApiError) || err.code !== 'version_skew') throw err
    session.logger.warn({ protocol_version: hello.protocol_version }, 'agent of another protocol version')
    session.close(closeCodes.versionSkew, err.message)
  }
}

/** A seed-only agent knows none of our additions: it is told nothing. */
function answer(
  { storeEpoch: store_epoch }: DispatchDeps,
  session: Session,
  said: HeartbeatAnswer | undefined,
  type: 'welcome' | 'heartbeat_ack',
): void {
  if (said === undefined) {
    session.close(closeCodes.unauthorized, 'the agent was removed')
    return
  }
  session.isDrained = said.draining
  if (session.hello === undefined) return
  const { desired, draining } = said
  session.send({ type, payload: { desired, draining, store_epoch } })
  for (const order of said.unknown) session.send(runTask(order))
}

/** Accepted too late: the offer was taken back. */
function forget(session: Session, taskId: number, attempt: number): void {
  const desired = [{ task_id: taskId, attempt, want: 'forget' as const }]
  session.send({ type: 'heartbeat_ack', payload: { desired, draining: session.isDrained } })
}

function runTask({ taskId, workspaceId, phase, lease }: RunOrder): ServerMessage {
  return {
    type: 'run_task',
    payload: {
      task_id: taskId,
      workspace_id: workspaceId,
      action: phase,
      attempt: lease.attempt,
      lease_token: lease.leaseToken,
      lease_ttl_ms: lease.leaseTtlMs,
    },
  }
}
