/** Reads from the store what placement decides on, in one snapshot. */
import { mayApply } from '@iac-agent/protocol'
import { type AgentForPlacement, agentsForPlacement } from '../store/agent-rows.js'
import { type OpenAttemptRow, openAttempts, recentRefusals } from '../store/attempt-rows.js'
import { type HoldRow, holdsOfWaiting, plansToApply } from '../store/hold-rows.js'
import type { Reader } from '../store/store.js'
import { type TaskRow, waitingTasks } from '../store/task-rows.js'
import { isDegraded, isDraining, isSeedOnly, shortageOf } from './agents/agent-status.js'
import type {
  Labels,
  PlacementAgent,
  PlacementTask,
  PlacementView,
  PlacementWorkspace,
  Refusal,
} from './placement-facts.js'

/** An agent that refused a task, or did not answer, is not offered it again for this long. */
const refusalMs = 5_000

/** @param isOnline whether an agent can be reached; by its row (for answers), or by this process' sockets (for offers) */
export async function loadPlacementView(
  reader: Reader,
  now: number,
  isOnline: (agent: AgentForPlacement) => boolean = (agent) => agent.online === 1,
): Promise<PlacementView> {
  const waiting = await waitingTasks(reader)
  if (waiting.length === 0) return { tasks: [], agents: [], workspaces: [] }
  const agents = await agentsForPlacement(reader)
  const open = await openAttempts(reader)
  const openOfAgent = groupedBy(open, (attempt) => attempt.agent_id)
  const openOfWorkspace = groupedBy(open, (attempt) => attempt.workspace_id)
  const holds = new Map((await holdsOfWaiting(reader)).map((hold) => [hold.id, hold]))
  const refusals = groupedBy(await recentRefusals(reader, now - refusalMs, now), (refusal) => refusal.task_id)
  const plans = new Map((await plansToApply(reader)).map((plan) => [plan.task_id, plan]))
  const labelsOf = labelsReader()
  return {
    tasks: waiting.map((task) => {
      const hold = holds.get(task.workspace_id)
      const labels = hold === undefined ? {} : labelsOf(hold.labels)
      return placementTask(task, { hold, labels, plan: plans.get(task.id), refusals: refusals.get(task.id) ?? none })
    }),
    agents: agents.map((agent) =>
      placementAgent(agent, {
        isOnline: isOnline(agent),
        labels: labelsOf(agent.labels),
        open: openOfAgent.get(agent.id) ?? none,
      }),
    ),
    workspaces: [...holds.values()].map((hold) => placementWorkspace(hold, openOfWorkspace.get(hold.id) ?? none)),
  }
}

const none: readonly never[] = []

function groupedBy<T, K>(items: readonly T[], keyOf: (item: T) => K): ReadonlyMap<K, T[]> {
  const groups = new Map<K, T[]>()
  for (const item of items) {
    const group = groups.get(keyOf(item))
    if (group === undefined) groups.set(keyOf(item), [item])
    else group.push(item)
  }
  return groups
}

/** Parses each text once: most agents have the labels of many others. */
function labelsReader(): (json: string) => Labels {
  const known = new Map<string, Labels>()
  return (json) => {
    const labels = known.get(json) ?? (JSON.parse(json) as Labels)
    known.set(json, labels)
    return labels
  }
}

function placementTask(
  task: TaskRow,
  {
    hold,
    labels,
    plan,
    refusals,
  }: {
    hold: HoldRow | undefined
    labels: Labels
    plan: { is_saved: number; agent_id: string; work_root: string | null } | undefined
    refusals: readonly { agent_id: string; reject_reason: string | null }[]
  },
): PlacementTask {
  const isApply = task.status === 'apply_pending'
  return {
    taskId: task.id,
    poolId: task.pool_id,
    workspaceId: task.workspace_id,
    taskType: task.task_type,
    phase: isApply ? 'apply' : 'plan',
    queuedAt: (isApply ? task.confirmed_at : null) ?? task.created_at,
    labels,
    allowUnsavedPlan: hold?.allow_unsaved_plan === 1,
    plannedBy: plan?.agent_id ?? null,
    workRoot: plan?.work_root ?? null,
    hasSavedPlan: plan?.is_saved === 1,
    refusals: refusals.length === 0 ? none : refusals.map(refusalOf),
  }
}

function refusalOf(row: { agent_id: string; reject_reason: string | null }): Refusal {
  return { agentId: row.agent_id, isWorkDirectoryBusy: row.reject_reason === 'work_directory_busy' }
}

/** Attempts nobody hears from take no room: the agent, when it is here, does not have them. */
function placementAgent(
  agent: AgentForPlacement,
  { isOnline, labels, open }: { isOnline: boolean; labels: Labels; open: readonly OpenAttemptRow[] },
): PlacementAgent {
  const own = open.length === 0 ? none : open.filter((attempt) => attempt.unreachable_since === null)
  return {
    agentId: agent.id,
    poolId: agent.pool_id,
    isOnline,
    isDraining: isDraining(agent),
    isDegraded: isDegraded(agent),
    shortage: shortageOf(agent),
    isSeedOnly: isSeedOnly(agent),
    labels,
    workRoot: agent.work_root,
    planLimit: agent.plan_limit,
    planRunning: own.filter((attempt) => attempt.phase === 'plan').length,
    applyRunning: own.filter((attempt) => attempt.phase === 'apply').length,
    workspaceIds: own.length === 0 ? none : own.map((attempt) => attempt.workspace_id),
  }
}

/** An offer holds too, so that two tasks of one workspace are never offered at once. */
function placementWorkspace(hold: HoldRow, own: readonly OpenAttemptRow[]): PlacementWorkspace {
  const offered = own.find((attempt) => mayApply(attempt.task_type))
  return {
    workspaceId: hold.id,
    lock: hold.lock_owner === null ? null : { owner: hold.lock_owner, reason: hold.lock_reason ?? '' },
    heldBy: hold.locked_by_task ?? offered?.task_id ?? null,
    applyingTask: own.find((attempt) => attempt.phase === 'apply')?.task_id ?? null,
  }
}
