/** Reads from the store what placement decides on, in one snapshot. */
import { mayApply } from '@iac-agent/protocol'
import { type AgentRow, allAgents } from '../store/agent-rows.js'
import { type OpenAttemptRow, openAttempts, recentRefusals } from '../store/attempt-rows.js'
import { type HoldRow, holdsOfWaiting, plansToApply } from '../store/hold-rows.js'
import type { Reader } from '../store/store.js'
import { type TaskRow, waitingTasks } from '../store/task-rows.js'
import { isDegraded, isDraining, isSeedOnly, shortageOf } from './agents/agent-status.js'
import type { Labels, PlacementAgent, PlacementTask, PlacementView, PlacementWorkspace, Refusal } from './placement.js'

/** An agent that refused a task, or did not answer, is not offered it again for this long. */
const refusalMs = 5_000

/** @param isOnline whether an agent can be reached; by its row (for answers), or by this process' sockets (for offers) */
export async function loadPlacementView(
  reader: Reader,
  now: number,
  isOnline: (agent: AgentRow) => boolean = (agent) => agent.online === 1,
): Promise<PlacementView> {
  const waiting = await waitingTasks(reader)
  if (waiting.length === 0) return { tasks: [], agents: [], workspaces: [] }
  const agents = await allAgents(reader)
  const open = await openAttempts(reader)
  const holds = new Map((await holdsOfWaiting(reader)).map((hold) => [hold.id, hold]))
  const refusals = await recentRefusals(reader, now - refusalMs, now)
  const plans = new Map((await plansToApply(reader)).map((plan) => [plan.task_id, plan]))
  return {
    tasks: waiting.map((task) => placementTask(task, holds.get(task.workspace_id), plans.get(task.id), refusals)),
    agents: agents.map((agent) => placementAgent(agent, isOnline(agent), open)),
    workspaces: [...holds.values()].map((hold) => placementWorkspace(hold, open)),
  }
}

function placementTask(
  task: TaskRow,
  hold: HoldRow | undefined,
  plan: { is_saved: number; agent_id: string; work_root: string | null } | undefined,
  refusals: { task_id: number; agent_id: string; reject_reason: string | null }[],
): PlacementTask {
  const isApply = task.status === 'apply_pending'
  return {
    taskId: task.id,
    poolId: task.pool_id,
    workspaceId: task.workspace_id,
    taskType: task.task_type,
    phase: isApply ? 'apply' : 'plan',
    queuedAt: (isApply ? task.confirmed_at : null) ?? task.created_at,
    labels: labelsOf(hold?.labels),
    allowUnsavedPlan: hold?.allow_unsaved_plan === 1,
    plannedBy: plan?.agent_id ?? null,
    workRoot: plan?.work_root ?? null,
    hasSavedPlan: plan?.is_saved === 1,
    refusals: refusals.filter((refusal) => refusal.task_id === task.id).map(refusalOf),
  }
}

function refusalOf(row: { agent_id: string; reject_reason: string | null }): Refusal {
  return { agentId: row.agent_id, isWorkDirectoryBusy: row.reject_reason === 'work_directory_busy' }
}

/** Attempts nobody hears from take no room: the agent, when it is here, does not have them. */
function placementAgent(agent: AgentRow, isOnline: boolean, open: OpenAttemptRow[]): PlacementAgent {
  const own = open.filter((attempt) => attempt.agent_id === agent.id && attempt.unreachable_since === null)
  return {
    agentId: agent.id,
    poolId: agent.pool_id,
    isOnline,
    isDraining: isDraining(agent),
    isDegraded: isDegraded(agent),
    shortage: shortageOf(agent),
    isSeedOnly: isSeedOnly(agent),
    labels: labelsOf(agent.labels),
    workRoot: agent.work_root,
    planLimit: agent.plan_limit,
    planRunning: own.filter((attempt) => attempt.phase === 'plan').length,
    applyRunning: own.filter((attempt) => attempt.phase === 'apply').length,
    workspaceIds: own.map((attempt) => attempt.workspace_id),
  }
}

/** An offer holds too, so that two tasks of one workspace are never offered at once. */
function placementWorkspace(hold: HoldRow, open: OpenAttemptRow[]): PlacementWorkspace {
  const own = open.filter((attempt) => attempt.workspace_id === hold.id)
  const offered = own.find((attempt) => mayApply(attempt.task_type))
  return {
    workspaceId: hold.id,
    lock: hold.lock_owner === null ? null : { owner: hold.lock_owner, reason: hold.lock_reason ?? '' },
    heldBy: hold.locked_by_task ?? offered?.task_id ?? null,
    applyingTask: own.find((attempt) => attempt.phase === 'apply')?.task_id ?? null,
  }
}

function labelsOf(json: string | undefined): Labels {
  return json === undefined ? {} : (JSON.parse(json) as Labels)
}
