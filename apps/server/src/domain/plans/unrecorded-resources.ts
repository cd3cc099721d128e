/** What an apply created and no state of it holds: taken from its agent, given to operators with import blocks. */
import { ApiError, importBlock, parse, UnrecordedReport, type UnrecordedResources } from '@iac-agent/protocol'
import type { Store } from '../../store/store.js'
import { findUnrecorded, upsertUnrecorded } from '../../store/unrecorded-rows.js'
import type { AgentCaller } from '../attempts/agent-caller.js'
import { requireAttempt } from '../attempts/require-attempt.js'
import type { PlanDeps } from './save-plan.js'

/** Stores the list in the place of what the task had. Idempotent; a stale attempt's counts as well: what it created is there. */
export function saveUnrecorded(
  deps: PlanDeps,
  input: { caller: AgentCaller; taskId: number; report: UnrecordedReport },
): Promise<{ saved: number; late?: true }> {
  return deps.store.transaction('save_unrecorded', async (tx) => {
    const now = deps.clock.now()
    const { task, attempt, stale } = await requireAttempt(tx, input.caller, input.taskId, deps.clock)
    const { created, may_exist, items } = input.report
    await upsertUnrecorded(tx, {
      task_id: task.id,
      attempt: attempt.number,
      created,
      may_exist,
      updated_at: now,
      items: JSON.stringify(items),
    })
    tx.changed({ kind: 'task', taskId: task.id })
    return { saved: items.length, ...(stale ? { late: true } : {}) }
  })
}

/** Throws `not_found` for an unknown task. */
export function unrecordedResources(deps: { store: Store }, taskId: number): Promise<UnrecordedResources> {
  return deps.store.read(async (reader) => {
    const task = await reader.db.selectFrom('workspace_tasks').select('id').where('id', '=', taskId).executeTakeFirst()
    if (!task) throw new ApiError('not_found', `task ${taskId} does not exist`)
    const row = await findUnrecorded(reader, taskId)
    if (!row) return { created: 0, may_exist: 0, items: [] }
    const items = parse(UnrecordedReport.properties.items, JSON.parse(row.items), 'unrecorded_resources.items')
    return {
      created: row.created,
      may_exist: row.may_exist,
      items: items.map((item) => ({
        ...item,
        import_block: item.id === null ? null : importBlock(item.address, item.id),
      })),
    }
  })
}
