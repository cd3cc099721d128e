/** The first message of a full agent's connection: who it is and what it holds. The answer is `welcome`, and what it lacks. */
import type { Hello, InventoryTask } from '@iac-agent/protocol'
import type { Clock } from '@iac-agent/runtime'
import { findAgent, updateAgent } from '../../store/agent-rows.js'
import { openAttemptsOf } from '../../store/attempt-rows.js'
import type { Store } from '../../store/store.js'
import { heardOf } from '../attempts/heard-of.js'
import { isDraining } from './agent-status.js'
import { desiredState, type ReportedAttempt } from './desired.js'
import { type HeartbeatAnswer, openOf } from './heartbeat.js'
import { requireServed } from './register-agent.js'
import { missingOffers } from './run-order.js'

/**
 * Idempotent. Answers undefined when the agent does not exist (any more).
 * @throws ApiError `version_skew`
 */
export function sayHello(
  deps: { store: Store; clock: Clock },
  input: { agentId: string; hello: Hello },
): Promise<HeartbeatAnswer | undefined> {
  const { agentId, hello } = input
  requireServed(hello.protocol_version)
  return deps.store.transaction('say_hello', async (tx) => {
    const agent = await findAgent(tx, agentId)
    if (agent === undefined) return undefined
    await updateAgent(tx, agentId, {
      instance_id: hello.instance_id,
      boot_epoch: hello.boot_epoch,
      protocol_version: hello.protocol_version,
    })
    const open = await openAttemptsOf(tx, agentId)
    const reported = hello.tasks.map(reportedOf)
    await heardOf(tx, agentId, open, reported, deps.clock)
    const { desired, unknown } = desiredState(open.map(openOf), reported)
    tx.changed({ kind: 'agent', agentId })
    const draining = isDraining({ ...agent, status: '' })
    return { desired, draining, unknown: missingOffers(open, unknown) }
  })
}

function reportedOf(task: InventoryTask): ReportedAttempt {
  return { taskId: task.task_id, attempt: task.attempt, cancelRung: task.cancel_rung }
}
