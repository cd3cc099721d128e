/** What the operator asked for and what was acknowledged, in epoch ms: the world's memory, to compare the server's with. */
import type { PlannedTask, PlannedWorkspace } from './workload.js'

/** A request that was sent (again and again) from `sentAt` on; without `acknowledgedAt` nobody knows whether it counts. */
export interface Asked {
  readonly sentAt: number
  acknowledgedAt?: number
  /** the code of a verdict against it */
  refused?: string
}

/** One task as the operator knows it. */
export interface TaskHistory {
  readonly plan: PlannedTask
  readonly workspace: PlannedWorkspace
  readonly workspaceId: string
  /** The server's, once the task is acknowledged. */
  id?: number
  created?: Asked
  readonly cancels: (Asked & { readonly force: boolean })[]
  readonly confirms: Asked[]
  readonly discards: Asked[]
  /** gave up as lost by the operator, with a restored server */
  readonly declaredLost: Asked[]
}

export function newHistory(plan: PlannedTask, workspace: PlannedWorkspace, workspaceId: string): TaskHistory {
  return { plan, workspace, workspaceId, cancels: [], confirms: [], discards: [], declaredLost: [] }
}

/** Whether somebody may have asked for it before `at`, acknowledged or not. */
export function wasAsked(list: readonly Asked[], at = Number.POSITIVE_INFINITY): boolean {
  return list.some(({ sentAt }) => sentAt <= at)
}
