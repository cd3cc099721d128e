/** Which waiting task goes to which agent now, and why each of the others waits: a pure function of what the store knows. */
import type { PendingReason, Phase } from '@iac-agent/protocol'
import { mayApply } from '@iac-agent/protocol'
import { Candidates } from './placement-candidates.js'
import type { PlacementTask, PlacementView, PlacementWorkspace } from './placement-facts.js'
import * as reasons from './placement-reasons.js'

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
  const candidates = new Candidates(view.agents)
  const workspaces = new Map(view.workspaces.map((workspace) => [workspace.workspaceId, { ...workspace }]))
  const placements: Placement[] = []
  const waiting = new Map<number, PendingReason>()
  for (const task of [...view.tasks].sort(byRank)) {
    const workspace = workspaces.get(task.workspaceId)
    const verdict = (workspace && workspaceReason(task, workspace)) ?? candidates.choose(task)
    if ('code' in verdict) {
      waiting.set(task.taskId, verdict)
      continue
    }
    verdict.take(task)
    if (workspace !== undefined) hold(workspace, task)
    placements.push({ taskId: task.taskId, phase: task.phase, agentId: verdict.agent.agentId })
  }
  return { placements, reasons: waiting }
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

function hold(workspace: Hold, task: PlacementTask): void {
  if (mayApply(task.taskType)) workspace.heldBy = task.taskId
  if (task.phase === 'apply') workspace.applyingTask = task.taskId
}
