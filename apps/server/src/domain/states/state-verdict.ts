/** What becomes of a received state: rules over serials, lineages and who sent it. Pure. */

/** Why a state was kept without becoming current. */
type RescueReason =
  /** its attempt was over, or another one is current */
  | 'stale_writer'
  /** the workspace is further already */
  | 'older_serial'
  /** a plan stores no state */
  | 'plan_phase'

export type StateVerdict =
  | { readonly kind: 'current'; readonly serial: number; readonly lineage: string }
  | { readonly kind: 'rescued'; readonly reason: RescueReason; readonly serial: number; readonly lineage: string }
  /** of another lineage: 409 `state_conflict` */
  | { readonly kind: 'other_lineage'; readonly expected: string }

export interface StateFacts {
  /** as its head says; absent counts as the current one's */
  readonly serial: number | undefined
  readonly lineage: string | undefined
  readonly current: { readonly serial: number; readonly lineage: string } | undefined
  /** given to the workspace when it was made */
  readonly workspaceLineage: string
  /** an import or a seed-only agent's: while the workspace has no version it sets the lineage */
  readonly maySetLineage: boolean
  readonly isStale: boolean
  /** the attempt runs a plan */
  readonly isPlan: boolean
}

/** Equal serials are no conflict: the fence lets one writer in, and its later state wins. */
export function judgeState(facts: StateFacts): StateVerdict {
  const { current, workspaceLineage } = facts
  const expected = current?.lineage ?? workspaceLineage
  const state = { serial: facts.serial ?? current?.serial ?? 0, lineage: facts.lineage ?? expected }
  if (facts.isStale) return { kind: 'rescued', reason: 'stale_writer', ...state }
  const setsLineage = facts.maySetLineage && current === undefined
  if (state.lineage !== expected && !setsLineage) return { kind: 'other_lineage', expected }
  if (facts.isPlan) return { kind: 'rescued', reason: 'plan_phase', ...state }
  if (current !== undefined && state.serial < current.serial)
    return { kind: 'rescued', reason: 'older_serial', ...state }
  return { kind: 'current', ...state }
}
