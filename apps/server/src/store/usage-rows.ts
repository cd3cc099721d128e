/** What tasks used of their agents' hosts, phase by phase. */
import type { Phase, Usage } from '@iac-agent/protocol'
import type { Reader } from './store.js'

/** A phase nobody told of is absent. */
export type PhaseUsage = Partial<Record<Phase, Usage>>

/** By task; of each phase what its newest attempt that told anything has told. */
export async function findUsages(reader: Reader, taskIds: readonly number[]): Promise<Map<number, PhaseUsage>> {
  if (taskIds.length === 0) return new Map()
  const rows = await reader.db
    .selectFrom('task_attempts')
    .select(['task_id', 'phase', 'peak_rss_bytes', 'cpu_ms'])
    .where('task_id', 'in', taskIds)
    .where((row) => row.or([row('peak_rss_bytes', 'is not', null), row('cpu_ms', 'is not', null)]))
    .orderBy('number')
    .execute()
  const usages = new Map<number, PhaseUsage>()
  for (const { task_id, phase, ...usage } of rows) usages.set(task_id, { ...usages.get(task_id), [phase]: usage })
  return usages
}
