/** What applies created and no state holds, a list per task. */
import type { UnrecordedCounts } from '@iac-agent/protocol'
import type { Selectable } from 'kysely'
import type { UnrecordedResourcesTable } from './schema/results.js'
import type { Reader, Tx } from './store.js'

export type UnrecordedRow = Selectable<UnrecordedResourcesTable>

export async function upsertUnrecorded(tx: Tx, row: UnrecordedRow): Promise<void> {
  const { task_id: _, ...facts } = row
  await tx.db
    .insertInto('unrecorded_resources')
    .values(row)
    .onConflict((conflict) => conflict.column('task_id').doUpdateSet(facts))
    .execute()
}

export function findUnrecorded(reader: Reader, taskId: number): Promise<UnrecordedRow | undefined> {
  return reader.db.selectFrom('unrecorded_resources').selectAll().where('task_id', '=', taskId).executeTakeFirst()
}

/** By task; those that had nothing to compare are left out. */
export async function countUnrecorded(
  reader: Reader,
  taskIds: readonly number[],
): Promise<ReadonlyMap<number, UnrecordedCounts>> {
  if (taskIds.length === 0) return new Map()
  const rows = await reader.db
    .selectFrom('unrecorded_resources')
    .select(['task_id', 'created', 'may_exist'])
    .where('task_id', 'in', taskIds)
    .execute()
  return new Map(rows.map(({ task_id, created, may_exist }) => [task_id, { created, may_exist }]))
}
