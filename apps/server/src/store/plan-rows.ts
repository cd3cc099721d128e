/** Plans, what they would change, and how far their apply is. */
import type { Insertable, Selectable } from 'kysely'
import type { PlansTable, ResourceChangesTable, ResourceReportsTable } from './schema/results.js'
import type { Reader, Tx } from './store.js'

export type PlanRow = Selectable<PlansTable>
export type ResourceChangeRow = Selectable<ResourceChangesTable>
export type NewResourceChange = Omit<Insertable<ResourceChangesTable>, 'task_id' | 'attempt' | 'position'>
export type ResourceReportRow = Selectable<ResourceReportsTable>

export function findPlan(reader: Reader, taskId: number, attempt: number): Promise<PlanRow | undefined> {
  const plans = reader.db.selectFrom('plans').selectAll().where('task_id', '=', taskId)
  return plans.where('attempt', '=', attempt).executeTakeFirst()
}

/** The newest plan of a task, by attempt; one that came late only when there is no other. */
export function findNewestPlan(reader: Reader, taskId: number): Promise<PlanRow | undefined> {
  const plans = reader.db.selectFrom('plans').selectAll().where('task_id', '=', taskId)
  return plans.orderBy('late').orderBy('attempt', 'desc').executeTakeFirst()
}

/** Stores the archive's facts, or the JSON's, beside what is known of the attempt's plan. */
export async function upsertPlan(
  tx: Tx,
  key: { task_id: number; attempt: number },
  facts: { sha256: string; size_bytes: number } | { json_sha256: string; json_size_bytes: number },
  origin: { late: boolean; created_at: number },
): Promise<void> {
  const nothing = { sha256: null, size_bytes: null, json_sha256: null, json_size_bytes: null }
  await tx.db
    .insertInto('plans')
    .values({ ...nothing, ...key, ...facts, ...origin })
    .onConflict((conflict) => conflict.columns(['task_id', 'attempt']).doUpdateSet(facts))
    .execute()
}

/** Puts `changes` in the place of what is stored for the attempt, in their order. */
export async function replaceResourceChanges(
  tx: Tx,
  taskId: number,
  attempt: number,
  changes: readonly NewResourceChange[],
): Promise<void> {
  await tx.db.deleteFrom('resource_changes').where('task_id', '=', taskId).where('attempt', '=', attempt).execute()
  for (let at = 0; at < changes.length; at += rowsPerInsert) {
    const rows = changes.slice(at, at + rowsPerInsert)
    const values = rows.map((change, n) => ({ task_id: taskId, attempt, position: at + n, ...change }))
    await tx.db.insertInto('resource_changes').values(values).execute()
  }
}

/** Bounds the parameters of one statement. */
const rowsPerInsert = 100

export function listResourceChanges(reader: Reader, taskId: number, attempt: number): Promise<ResourceChangeRow[]> {
  const changes = reader.db.selectFrom('resource_changes').selectAll().where('task_id', '=', taskId)
  return changes.where('attempt', '=', attempt).orderBy('position').execute()
}

/** Stores one report. A `running` that comes after the resource's end (sent again, or late) changes nothing. */
export function upsertResourceReport(tx: Tx, row: ResourceReportRow): void {
  tx.hot.run(
    `INSERT INTO resource_reports (task_id, attempt, address, action, status, resource_id, started_at, finished_at, error, late, updated_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (task_id, attempt, address, action) DO UPDATE SET status = excluded.status,
       resource_id = coalesce(excluded.resource_id, resource_id), started_at = coalesce(excluded.started_at, started_at),
       finished_at = excluded.finished_at, error = excluded.error, late = excluded.late, updated_at = excluded.updated_at
     WHERE excluded.status <> 'running' OR resource_reports.status = 'running'`,
    row.task_id,
    row.attempt,
    row.address,
    row.action,
    row.status,
    row.resource_id,
    row.started_at,
    row.finished_at,
    row.error,
    row.late,
    row.updated_at,
  )
}

/** Reports of a task's newest apply, oldest first. */
export async function listResourceReports(reader: Reader, taskId: number): Promise<ResourceReportRow[]> {
  const attempt = await reader.hot.newestAttempt(taskId, 'apply')
  if (attempt === undefined) return []
  const reports = reader.db.selectFrom('resource_reports').selectAll().where('task_id', '=', taskId)
  return reports.where('attempt', '=', attempt).orderBy('started_at').orderBy('updated_at').execute()
}
