/** Which waiting task goes to which agent now, and why each of the others waits: a pure function of what the store knows. */
import type { PendingReason, Phase, Shortage, TaskType } from '@iac-agent/protocol'
import { mayApply } from '@iac-agent/protocol'
import * as reasons from './placement-reasons.js'

export type Labels = Readonly<Record<string, string>>

/** A task that needs an attempt: pending, or apply_pending with its confirmation recorded. */
export interface PlacementTask {
  readonly taskId: number
  readonly poolId: string
  readonly workspaceId: string
  readonly taskType: TaskType
  readonly phase: Phase
  /** since when it waits: created, or confirmed; epoch ms */
  readonly queuedAt: number
  /** what its workspace demands of an agent */
  readonly labels: Labels
  readonly allowUnsavedPlan: boolean
  /** an apply: who planned, where, and whether the server holds the plan */
  readonly plannedBy: string | null
  readonly workRoot: string | null
  readonly hasSavedPlan: boolean
  /** agents that said no, or nothing, a moment ago */
  readonly refusals: readonly Refusal[]
}

export interface Refusal {
  readonly agentId: string
  readonly isWorkDirectoryBusy: boolean
}

export interface PlacementAgent {
  readonly agentId: string
  readonly poolId: string
  readonly isOnline: boolean
  readonly isDraining: boolean
  readonly isDegraded: boolean
  /** of what, when it said so */
  readonly shortage: Shortage | null
  readonly isSeedOnly: boolean
  readonly labels: Labels
  readonly workRoot: string | null
  readonly planLimit: number
  readonly planRunning: number
  readonly applyRunning: number
  /** workspaces whose work directory an attempt of it holds */
  readonly workspaceIds: readonly string[]
}

export interface PlacementWorkspace {
  readonly workspaceId: string
  /** an operator's lock (or the one a lost apply leaves) */
  readonly lock: { readonly owner: string; readonly reason: string } | null
  /** the plan_and_apply or destroy that holds it, from its first offer to its final status */
  readonly heldBy: number | null
  /** a task whose apply phase runs or is unreachable */
  readonly applyingTask: number | null
}

export interface PlacementView {
  readonly tasks: readonly PlacementTask[]
  readonly agents: readonly PlacementAgent[]
  readonly workspaces: readonly PlacementWorkspace[]
}

export interface Placement {
  readonly taskId: number
  readonly phase: Phase
  readonly agentId: string
}

export interface PlacementResult {
  readonly placements: readonly Placement[]
  /** one for every task that was not placed */
  readonly reasons: ReadonlyMap<number, PendingReason>
}

/** Confirmed applies first, then plan_and_apply and destroy, then plan, then drift_check; first come first served inside. */
export function placeTasks(view: PlacementView): PlacementResult {
  const agents = view.agents.map(
    (agent): Slot => ({ ...agent, workspaceIds: [...agent.workspaceIds], isReserved: false }),
  )
  const workspaces = new Map(view.workspaces.map((workspace) => [workspace.workspaceId, { ...workspace }]))
  const placements: Placement[] = []
  const waiting = new Map<number, PendingReason>()
  for (const task of [...view.tasks].sort(byRank)) {
    const workspace = workspaces.get(task.workspaceId)
    const verdict = (workspace && workspaceReason(task, workspace)) ?? chooseAgent(task, agents)
    if ('code' in verdict) {
      waiting.set(task.taskId, verdict)
      continue
    }
    take(verdict, task)
    if (workspace !== undefined) hold(workspace, task)
    placements.push({ taskId: task.taskId, phase: task.phase, agentId: verdict.agentId })
  }
  return { placements, reasons: waiting }
}

/** An agent as the pass goes on: what it was given, and whether an apply waits for it to become empty. */
type Slot = { -readonly [K in keyof PlacementAgent]: PlacementAgent[K] } & {
  workspaceIds: string[]
  isReserved: boolean
}
type Hold = { -readonly [K in keyof PlacementWorkspace]: PlacementWorkspace[K] }

function byRank(a: PlacementTask, b: PlacementTask): number {
  return rankOf(a) - rankOf(b) || a.queuedAt - b.queuedAt || a.taskId - b.taskId
}

function rankOf(task: PlacementTask): number {
  if (task.phase === 'apply') return 0
  if (mayApply(task.taskType)) return 1
  return task.taskType === 'plan' ? 2 : 3
}

function workspaceReason(task: PlacementTask, workspace: Hold): PendingReason | undefined {
  if (workspace.lock !== null) return reasons.workspaceLocked(workspace.workspaceId, workspace.lock)
  const { applyingTask, heldBy } = workspace
  if (applyingTask !== null && applyingTask !== task.taskId)
    return reasons.workspaceBusy(workspace.workspaceId, applyingTask)
  if (!mayApply(task.taskType) || heldBy === null || heldBy === task.taskId) return undefined
  return reasons.workspaceBusy(workspace.workspaceId, heldBy)
}

/** Permanent obstacles are named before passing ones: an agent that drains is no answer when none has the labels. */
function chooseAgent(task: PlacementTask, all: Slot[]): Slot | PendingReason {
  const online = all.filter((agent) => agent.poolId === task.poolId && agent.isOnline)
  if (online.length === 0) return reasons.noAgentOnline(task.poolId)
  const capable = online.filter((agent) => isCapable(agent, task))
  if (capable.length === 0) return reasons.noCapableAgent(task)
  const labelled = capable.filter((agent) => hasLabels(agent, task.labels))
  if (labelled.length === 0) return reasons.noAgentWithLabels(task.labels)
  const rooted = labelled.filter((agent) => hasWorkRoot(agent, task))
  if (rooted.length === 0) return reasons.noAgentWithWorkRoot(task.workRoot)
  const working = rooted.filter((agent) => !agent.isDraining)
  if (working.length === 0) return reasons.agentsDraining(idsOf(rooted))
  const healthy = working.filter((agent) => !agent.isDegraded)
  if (healthy.length === 0) return reasons.agentsDegraded(working)
  return chooseWilling(task, healthy)
}

function chooseWilling(task: PlacementTask, agents: Slot[]): Slot | PendingReason {
  const willing = agents.filter((agent) => !task.refusals.some((refusal) => refusal.agentId === agent.agentId))
  if (willing.length === 0) {
    const isDirectory = task.refusals.some((refusal) => refusal.isWorkDirectoryBusy)
    return isDirectory ? reasons.workDirectoryBusy(task.workspaceId) : reasons.offerRefused(idsOf(agents))
  }
  const free = willing.filter((agent) => hasRoom(agent, task) && !agent.workspaceIds.includes(task.workspaceId))
  const best = preferred(free, task) ?? leastLoaded(free)
  if (best !== undefined) return best
  if (task.phase === 'apply') reserve(willing, task)
  const isDirectory = willing.some((agent) => hasRoom(agent, task))
  return isDirectory ? reasons.workDirectoryBusy(task.workspaceId) : reasons.agentsBusy(idsOf(willing))
}

/** A seed-only agent keeps no plan: it plans, and applies only where the workspace allows an apply without the saved plan. */
function isCapable(agent: PlacementAgent, task: PlacementTask): boolean {
  if (task.phase === 'apply') return agent.isSeedOnly ? task.allowUnsavedPlan && !task.hasSavedPlan : task.hasSavedPlan
  if (!agent.isSeedOnly || task.taskType === 'plan') return true
  return task.taskType === 'plan_and_apply' && task.allowUnsavedPlan
}

function hasLabels(agent: PlacementAgent, demanded: Labels): boolean {
  return Object.entries(demanded).every(([name, value]) => agent.labels[name] === value)
}

/** A plan is bound to its absolute directory; a seed-only agent plans anew and has none to tell. */
function hasWorkRoot(agent: PlacementAgent, task: PlacementTask): boolean {
  return task.phase === 'plan' || agent.isSeedOnly || agent.workRoot === task.workRoot
}

function hasRoom(agent: Slot, task: PlacementTask): boolean {
  if (agent.applyRunning > 0) return false
  if (task.phase === 'apply') return agent.planRunning === 0
  return !agent.isReserved && agent.planRunning < agent.planLimit
}

function preferred(agents: Slot[], task: PlacementTask): Slot | undefined {
  return task.phase === 'apply' ? agents.find((agent) => agent.agentId === task.plannedBy) : undefined
}

function leastLoaded(agents: Slot[]): Slot | undefined {
  return agents.reduce<Slot | undefined>(
    (best, agent) => (best === undefined || byLoad(agent, best) < 0 ? agent : best),
    undefined,
  )
}

function byLoad(a: Slot, b: Slot): number {
  const load = (agent: Slot) => (agent.planRunning + agent.applyRunning) / Math.max(1, agent.planLimit)
  return load(a) - load(b) || a.planRunning - b.planRunning || (a.agentId < b.agentId ? -1 : 1)
}

/** The agent an apply waits for is fed no more plans, or it would never be empty. */
function reserve(willing: Slot[], task: PlacementTask): void {
  const open = willing.filter((agent) => !agent.isReserved)
  const agent = preferred(open, task) ?? leastLoaded(open)
  if (agent !== undefined) agent.isReserved = true
}

function take(agent: Slot, task: PlacementTask): void {
  if (task.phase === 'apply') agent.applyRunning += 1
  else agent.planRunning += 1
  agent.workspaceIds.push(task.workspaceId)
}

function hold(workspace: Hold, task: PlacementTask): void {
  if (mayApply(task.taskType)) workspace.heldBy = task.taskId
  if (task.phase === 'apply') workspace.applyingTask = task.taskId
}

function idsOf(agents: readonly PlacementAgent[]): string[] {
  return agents.map((agent) => agent.agentId)
}
