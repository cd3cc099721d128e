/** The plan as terraform's JSON: stored as it came, and what it changes derived from it. */
import { ApiError } from '@iac-agent/protocol'
import { BlobWriter, discardDraft, keepBlob, receiveBlob, streamBlob } from '../../store/blobs.js'
import { findNewestPlan, replaceResourceChanges, upsertPlan } from '../../store/plan-rows.js'
import type { Store } from '../../store/store.js'
import type { AgentCaller } from '../attempts/agent-caller.js'
import { requireAttempt } from '../attempts/require-attempt.js'
import { changesOfPlan } from './plan-changes.js'
import { type PlanDeps, requirePlan, type StoredBytes } from './save-plan.js'

/** Stores the JSON of the caller's plan; the same again, or another, takes the place of the one before. Throws `invalid_request`. */
export async function savePlanJson(
  deps: PlanDeps,
  input: { caller: AgentCaller; taskId: number; json: Buffer },
): Promise<{ resource_changes: number; late?: true }> {
  const changes = changesOfPlan(input.json)
  const writer = new BlobWriter(deps.store, () => deps.clock.now())
  const draft = await receiveBlob(writer, pieces(input.json))
  let isKept = false
  try {
    const stale = await deps.store.transaction('save_plan_json', async (tx) => {
      const now = deps.clock.now()
      const { task, attempt, stale } = requirePlan(await requireAttempt(tx, input.caller, input.taskId, deps.clock))
      await keepBlob(tx, draft, now)
      const facts = { json_sha256: draft.sha256, json_size_bytes: draft.sizeBytes }
      await upsertPlan(tx, { task_id: task.id, attempt: attempt.number }, facts, { late: stale, created_at: now })
      await replaceResourceChanges(tx, task.id, attempt.number, changes)
      tx.changed({ kind: 'resources', taskId: task.id })
      return stale
    })
    isKept = true
    return { resource_changes: changes.length, ...(stale ? { late: true } : {}) }
  } finally {
    if (!isKept) await discardDraft(deps.store, draft)
  }
}

/** The JSON of a task's newest plan. Throws `not_found`. */
export async function openPlanJson(deps: { store: Store }, taskId: number): Promise<StoredBytes> {
  const plan = await deps.store.read((reader) => findNewestPlan(reader, taskId))
  if (!plan?.json_sha256) throw new ApiError('not_found', `task ${taskId} has no plan as JSON`)
  const { json_sha256: sha256, json_size_bytes: sizeBytes } = plan
  return { sha256, sizeBytes: sizeBytes ?? 0, bytes: streamBlob(deps.store, sha256) }
}

async function* pieces(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes
}
