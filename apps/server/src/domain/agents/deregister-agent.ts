/** Removes an agent that has nothing open. */
import { ApiError } from '@iac-agent/protocol'
import { deleteAgent, findAgent } from '../../store/agent-rows.js'
import { openAttemptsOf } from '../../store/attempt-rows.js'
import type { Store } from '../../store/store.js'
import type { AgentCaller } from '../attempts/agent-caller.js'
import { requireItself } from './agent-proof.js'

/**
 * @param input.caller the asking agent; undefined for an operator
 * @throws ApiError `not_found`, `forbidden`; `conflict` while it has open attempts
 */
export function deregisterAgent(
  deps: { store: Store },
  input: { agentId: string; caller?: AgentCaller | undefined },
): Promise<void> {
  const { agentId, caller } = input
  return deps.store.transaction('deregister_agent', async (tx) => {
    const agent = await findAgent(tx, agentId)
    if (agent === undefined) throw new ApiError('not_found', `agent ${agentId} does not exist`)
    if (caller !== undefined) requireItself(agent, caller)
    const open = await openAttemptsOf(tx, agentId)
    if (open.length > 0) {
      const tasks = open.map((attempt) => attempt.task_id)
      throw new ApiError('conflict', `agent ${agentId} still has tasks: ${tasks.join(', ')}`, { tasks })
    }
    await deleteAgent(tx, agentId)
    tx.changed({ kind: 'agent', agentId })
  })
}
