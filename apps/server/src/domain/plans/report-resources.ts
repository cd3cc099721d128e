/** Progress of single resources while an apply goes on. */
import type { ResourceReport } from '@iac-agent/protocol'
import { upsertResourceReport } from '../../store/plan-rows.js'
import type { AgentCaller } from '../attempts/agent-caller.js'
import { requireAttempt } from '../attempts/require-attempt.js'
import type { PlanDeps } from './save-plan.js'

/** Stores a batch. Idempotent: the same again changes nothing, and what is done never goes back to `running`. */
export function reportResources(
  deps: PlanDeps,
  input: { caller: AgentCaller; taskId: number; reports: readonly ResourceReport[] },
): Promise<{ saved: number; late?: true }> {
  return deps.store.transaction('report_resources', async (tx) => {
    const now = deps.clock.now()
    const { task, attempt, stale } = await requireAttempt(tx, input.caller, input.taskId, deps.clock)
    for (const report of input.reports) {
      upsertResourceReport(tx, {
        task_id: task.id,
        attempt: attempt.number,
        address: report.address,
        action: report.action,
        status: report.status,
        resource_id: report.id ?? null,
        started_at: epochOf(report.started_at),
        finished_at: epochOf(report.finished_at),
        error: report.error ?? null,
        late: stale ? 1 : 0,
        updated_at: now,
      })
    }
    if (input.reports.length > 0) tx.changed({ kind: 'resources', taskId: task.id })
    return { saved: input.reports.length, ...(stale ? { late: true } : {}) }
  })
}

/** Times of a report are for display: one that is none is left out. */
function epochOf(text: string | undefined): number | null {
  const ms = text === undefined ? Number.NaN : Date.parse(text)
  return Number.isNaN(ms) ? null : ms
}
