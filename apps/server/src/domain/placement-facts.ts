/** What placement decides on: tasks that wait, agents, and the workspaces of those tasks. */
import type { Phase, Shortage, TaskType } from '@iac-agent/protocol'

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
