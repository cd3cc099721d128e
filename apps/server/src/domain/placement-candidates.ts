/**
 * The agents of one pass of placement: which of them may take a task, and which is the least loaded. What tasks demand is looked at once,
 * however many demand the same: a pass over plans costs agents plus tasks, not their product.
 */
import type { PendingReason } from '@iac-agent/protocol'
import { LeastLoaded } from './least-loaded.js'
import type { Labels, PlacementAgent, PlacementTask } from './placement-facts.js'
import * as reasons from './placement-reasons.js'
import { byLoad, Slot } from './placement-slot.js'

/** Those that fit what a task demands and are well. */
class Group {
  readonly forPlans: LeastLoaded
  #busy: PendingReason | undefined

  constructor(readonly slots: readonly Slot[]) {
    this.forPlans = new LeastLoaded(slots)
  }

  /** For every task that finds all of them full. */
  get busy(): PendingReason {
    this.#busy ??= reasons.agentsBusy(idsOf(this.slots))
    return this.#busy
  }
}

export class Candidates {
  readonly #slots: readonly Slot[]
  readonly #groups = new Map<string, Group | PendingReason>()

  constructor(agents: readonly PlacementAgent[]) {
    this.#slots = agents.filter((agent) => agent.isOnline).map((agent) => new Slot(agent))
  }

  /** The agent for it, or why there is none now. */
  choose(task: PlacementTask): Slot | PendingReason {
    const group = this.#groupOf(task)
    if (!(group instanceof Group)) return group
    const isPlain = task.phase === 'plan' && task.refusals.length === 0
    return isPlain ? chooseForPlan(task, group) : chooseWilling(task, group.slots)
  }

  #groupOf(task: PlacementTask): Group | PendingReason {
    const { poolId, phase, taskType, allowUnsavedPlan, hasSavedPlan, workRoot, labels } = task
    const demand = JSON.stringify([poolId, phase, taskType, allowUnsavedPlan, hasSavedPlan, workRoot, labels])
    const group = this.#groups.get(demand) ?? groupFor(task, this.#slots)
    this.#groups.set(demand, group)
    return group
  }
}

/** Permanent obstacles are named before passing ones: an agent that drains is no answer when none has the labels. */
function groupFor(task: PlacementTask, all: readonly Slot[]): Group | PendingReason {
  const online = all.filter(({ agent }) => agent.poolId === task.poolId)
  if (online.length === 0) return reasons.noAgentOnline(task.poolId)
  const capable = online.filter(({ agent }) => isCapable(agent, task))
  if (capable.length === 0) return reasons.noCapableAgent(task)
  const labelled = capable.filter(({ agent }) => hasLabels(agent, task.labels))
  if (labelled.length === 0) return reasons.noAgentWithLabels(task.labels)
  const rooted = labelled.filter(({ agent }) => hasWorkRoot(agent, task))
  if (rooted.length === 0) return reasons.noAgentWithWorkRoot(task.workRoot)
  const working = rooted.filter(({ agent }) => !agent.isDraining)
  if (working.length === 0) return reasons.agentsDraining(idsOf(rooted))
  const healthy = working.filter(({ agent }) => !agent.isDegraded)
  if (healthy.length === 0) return reasons.agentsDegraded(working.map(({ agent }) => agent))
  return new Group(healthy)
}

function chooseForPlan(task: PlacementTask, group: Group): Slot | PendingReason {
  const best = group.forPlans.find((slot) => !slot.holds(task.workspaceId))
  if (best !== undefined) return best
  return group.forPlans.hasRoom ? reasons.workDirectoryBusy(task.workspaceId) : group.busy
}

/** An apply, or a task that somebody refused a moment ago. */
function chooseWilling(task: PlacementTask, slots: readonly Slot[]): Slot | PendingReason {
  const willing = slots.filter(({ agent }) => !task.refusals.some((refusal) => refusal.agentId === agent.agentId))
  if (willing.length === 0) {
    const isDirectory = task.refusals.some((refusal) => refusal.isWorkDirectoryBusy)
    return isDirectory ? reasons.workDirectoryBusy(task.workspaceId) : reasons.offerRefused(idsOf(slots))
  }
  const free = willing.filter((slot) => slot.hasRoom(task.phase) && !slot.holds(task.workspaceId))
  const best = preferred(free, task) ?? leastLoaded(free)
  if (best !== undefined) return best
  if (task.phase === 'apply') reserve(willing, task)
  const isDirectory = willing.some((slot) => slot.hasRoom(task.phase))
  return isDirectory ? reasons.workDirectoryBusy(task.workspaceId) : reasons.agentsBusy(idsOf(willing))
}

/** A seed-only agent keeps no plan: it plans, and applies only where the workspace allows an apply without the saved plan. */
function isCapable(agent: PlacementAgent, task: PlacementTask): boolean {
  if (task.phase === 'apply') return agent.isSeedOnly ? task.allowUnsavedPlan && !task.hasSavedPlan : task.hasSavedPlan
  if (!agent.isSeedOnly || task.taskType === 'plan') return true
  return task.taskType === 'plan_and_apply' && task.allowUnsavedPlan
}

function hasLabels(agent: PlacementAgent, demanded: Labels): boolean {
  for (const name in demanded) if (agent.labels[name] !== demanded[name]) return false
  return true
}

/** A plan is bound to its absolute directory; a seed-only agent plans anew and has none to tell. */
function hasWorkRoot(agent: PlacementAgent, task: PlacementTask): boolean {
  return task.phase === 'plan' || agent.isSeedOnly || agent.workRoot === task.workRoot
}

function preferred(slots: readonly Slot[], task: PlacementTask): Slot | undefined {
  return task.phase === 'apply' ? slots.find(({ agent }) => agent.agentId === task.plannedBy) : undefined
}

function leastLoaded(slots: readonly Slot[]): Slot | undefined {
  return slots.reduce<Slot | undefined>(
    (best, slot) => (best === undefined || byLoad(slot, best) < 0 ? slot : best),
    undefined,
  )
}

function reserve(willing: readonly Slot[], task: PlacementTask): void {
  const open = willing.filter((slot) => !slot.isReserved)
  const slot = preferred(open, task) ?? leastLoaded(open)
  if (slot !== undefined) slot.isReserved = true
}

function idsOf(slots: readonly Slot[]): string[] {
  return slots.map(({ agent }) => agent.agentId)
}
