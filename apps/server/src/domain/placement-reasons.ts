/** The words for every reason a task waits: one maker per code of `PendingCode`. */
import {
  describeShortage,
  type PendingCode,
  type PendingReason,
  type Shortage,
  type TaskType,
} from '@iac-agent/protocol'

function reason(code: PendingCode, message: string, details: Record<string, unknown> = {}): PendingReason {
  return { code, message, details }
}

export function noAgentOnline(poolId: string): PendingReason {
  return reason('no_agent_online', 'no agent of the pool is connected', { pool_id: poolId })
}

export function noCapableAgent(task: { taskType: TaskType; phase: string; hasSavedPlan: boolean }): PendingReason {
  const what =
    task.phase === 'plan'
      ? `the connected agents speak only the basic protocol and are not given ${task.taskType} here`
      : task.hasSavedPlan
        ? 'no connected agent can restore the saved plan'
        : 'no connected agent may apply without a saved plan'
  return reason('no_capable_agent', what, { task_type: task.taskType })
}

export function noAgentWithLabels(labels: Readonly<Record<string, string>>): PendingReason {
  const wanted = Object.entries(labels)
    .map(([name, value]) => `${name}=${value}`)
    .join(', ')
  return reason('no_agent_with_labels', `no connected agent has the labels ${wanted}`, { labels })
}

export function noAgentWithWorkRoot(workRoot: string | null): PendingReason {
  return reason(
    'no_agent_with_work_root',
    `the plan is bound to the work root ${workRoot}, which no connected agent has`,
    {
      work_root: workRoot,
    },
  )
}

export function agentsBusy(agentIds: string[]): PendingReason {
  return reason('agents_busy', 'every agent that could run it is at its limit', { agent_ids: agentIds })
}

export function agentsDegraded(
  agents: readonly { readonly agentId: string; readonly shortage: Shortage | null }[],
): PendingReason {
  const short = agents.flatMap(({ agentId, shortage }) =>
    shortage === null ? [] : [{ agent_id: agentId, ...shortage }],
  )
  const why = short.map((one) => `${one.agent_id} has ${describeShortage(one)}`).join('; ')
  const message = 'every agent that could run it reports itself degraded'
  return reason('agents_degraded', why === '' ? message : `${message}: ${why}`, {
    agent_ids: agents.map(({ agentId }) => agentId),
    shortages: short,
  })
}

export function agentsDraining(agentIds: string[]): PendingReason {
  return reason('agents_draining', 'every agent that could run it is draining', { agent_ids: agentIds })
}

export function workDirectoryBusy(workspaceId: string): PendingReason {
  return reason('work_directory_busy', 'another run holds the work directory of this workspace on the agent', {
    workspace_id: workspaceId,
  })
}

export function workspaceBusy(workspaceId: string, taskId: number): PendingReason {
  return reason('workspace_busy', `task ${taskId} holds the workspace`, { workspace_id: workspaceId, task_id: taskId })
}

export function workspaceLocked(workspaceId: string, lock: { owner: string; reason: string }): PendingReason {
  const why = lock.reason === '' ? '' : `: ${lock.reason}`
  return reason('workspace_locked', `the workspace is locked by ${lock.owner}${why}`, {
    workspace_id: workspaceId,
    locked_by: lock.owner,
    reason: lock.reason,
  })
}

export function awaitingConfirmation(): PendingReason {
  return reason('awaiting_confirmation', 'the plan waits for a person to confirm or discard it')
}

export function awaitingAgent(agentId: string): PendingReason {
  return reason('awaiting_agent', `offered to agent ${agentId}, which has not answered yet`, { agent_id: agentId })
}

export function offerRefused(agentIds: string[]): PendingReason {
  return reason('awaiting_agent', 'the last offer was refused or not answered; it is offered again in a moment', {
    agent_ids: agentIds,
  })
}
