/** For tests of placement: tasks, agents and workspaces with everything plain but what the test says. */
import { placeTasks } from './placement.js'
import type { PlacementAgent, PlacementTask, PlacementView, PlacementWorkspace } from './placement-facts.js'

export function task(over: Partial<PlacementTask> & { taskId: number }): PlacementTask {
  return {
    poolId: 'pool-1',
    workspaceId: `ws-${over.taskId}`,
    taskType: 'plan',
    phase: 'plan',
    queuedAt: over.taskId,
    labels: {},
    allowUnsavedPlan: false,
    plannedBy: null,
    workRoot: null,
    hasSavedPlan: false,
    refusals: [],
    ...over,
  }
}

export function applyOf(taskId: number, over: Partial<PlacementTask> = {}): PlacementTask {
  const planned = { plannedBy: 'a', workRoot: '/work', hasSavedPlan: true }
  return task({ taskId, taskType: 'plan_and_apply', phase: 'apply', ...planned, ...over })
}

export function agent(agentId: string, over: Partial<PlacementAgent> = {}): PlacementAgent {
  return {
    agentId,
    poolId: 'pool-1',
    isOnline: true,
    isDraining: false,
    isDegraded: false,
    shortage: null,
    isSeedOnly: false,
    labels: {},
    workRoot: '/work',
    planLimit: 3,
    planRunning: 0,
    applyRunning: 0,
    workspaceIds: [],
    ...over,
  }
}

export function workspace(workspaceId: string, over: Partial<PlacementWorkspace> = {}): PlacementWorkspace {
  return { workspaceId, lock: null, heldBy: null, applyingTask: null, ...over }
}

/** A view in which every task's workspace is known. */
export function view(
  tasks: PlacementTask[],
  agents: PlacementAgent[],
  known: PlacementWorkspace[] = [],
): PlacementView {
  const ids = new Set(tasks.map((one) => one.workspaceId))
  const rest = [...ids].filter((id) => !known.some((one) => one.workspaceId === id)).map((id) => workspace(id))
  return { tasks, agents, workspaces: [...known, ...rest] }
}

export function placed(given: PlacementView): Record<number, string> {
  return Object.fromEntries(placeTasks(given).placements.map((one) => [one.taskId, one.agentId]))
}

export function reasonOf(given: PlacementView, taskId: number): string | undefined {
  return placeTasks(given).reasons.get(taskId)?.code
}
