/** The plan archive: what one attempt planned, bit by bit what a later attempt applies. */
import { ApiError, readChecksum } from '@iac-agent/protocol'
import type { Clock } from '@iac-agent/runtime'
import { type BlobDraft, discardDraft, keepBlob, streamBlob } from '../../store/blobs.js'
import { findPlan, upsertPlan } from '../../store/plan-rows.js'
import type { Store } from '../../store/store.js'
import type { AgentCaller } from '../attempts/agent-caller.js'
import type { FencedAttempt } from '../attempts/fenced-attempt.js'
import { requireAttempt, requireAttemptRead } from '../attempts/require-attempt.js'

export interface PlanDeps {
  readonly store: Store
  readonly clock: Clock
}

/**
 * Stores the archive of the caller's attempt. Idempotent by content. A live attempt may replace its archive; once the attempt is
 * over another one is refused (`conflict`): what was confirmed stays what is applied. Throws `checksum_mismatch`.
 */
export async function savePlan(
  deps: PlanDeps,
  input: { caller: AgentCaller; taskId: number; draft: BlobDraft; checksum?: string | undefined },
): Promise<{ sha256: string; size: number; late?: true }> {
  const { sha256, sizeBytes } = input.draft
  let isKept = false
  try {
    requireSha256(sha256, input.checksum)
    const stale = await deps.store.transaction('save_plan', async (tx) => {
      const now = deps.clock.now()
      const { task, attempt, stale } = requirePlan(await requireAttempt(tx, input.caller, input.taskId, deps.clock))
      const stored = await findPlan(tx, task.id, attempt.number)
      if (stale && stored?.sha256 && stored.sha256 !== sha256) throw otherPlan(task.id)
      await keepBlob(tx, input.draft, now)
      const key = { task_id: task.id, attempt: attempt.number }
      await upsertPlan(tx, key, { sha256, size_bytes: sizeBytes }, { late: stale, created_at: now })
      tx.changed({ kind: 'task', taskId: task.id })
      return stale
    })
    isKept = true
    return { sha256, size: sizeBytes, ...(stale ? { late: true } : {}) }
  } finally {
    if (!isKept) await discardDraft(deps.store, input.draft)
  }
}

export interface StoredBytes {
  readonly sha256: string
  readonly sizeBytes: number
  readonly bytes: AsyncIterable<Buffer>
}

/** The archive the caller's attempt works with: the confirmed one for an apply, its own for a plan. Throws `not_found`, `stale_lease`. */
export async function openPlan(deps: PlanDeps, input: { caller: AgentCaller; taskId: number }): Promise<StoredBytes> {
  const plan = await deps.store.read(async (reader) => {
    const { task, attempt, stale } = await requireAttemptRead(reader, input.caller, input.taskId)
    if (stale) throw new ApiError('stale_lease', `this attempt of task ${task.id} no longer counts`)
    const number = attempt.phase === 'plan' ? attempt.number : (task.confirmed_plan ?? task.plan_attempt)
    return number === null ? undefined : findPlan(reader, task.id, number)
  })
  if (!plan?.sha256) throw new ApiError('not_found', `task ${input.taskId} has no stored plan`)
  return { sha256: plan.sha256, sizeBytes: plan.size_bytes ?? 0, bytes: streamBlob(deps.store, plan.sha256) }
}

/** Only an attempt that plans has a plan to store. */
export function requirePlan(fenced: FencedAttempt): FencedAttempt {
  if (fenced.attempt.phase === 'plan') return fenced
  throw new ApiError('invalid_request', 'this attempt runs an apply: it has no plan to store')
}

/** An absent or empty checksum is none to check. */
function requireSha256(sha256: string, checksum: string | undefined): void {
  const expected = readChecksum(checksum)
  if (expected === null || expected === sha256) return
  throw new ApiError('checksum_mismatch', 'the checksum is not that of the plan received', { sha256 })
}

function otherPlan(taskId: number): ApiError {
  return new ApiError('conflict', `task ${taskId} has a plan of this attempt with other bytes, and the attempt is over`)
}
