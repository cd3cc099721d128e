/** Tasks, without their outputs, and the inputs frozen for them. */
import type { Stage, TaskStatus, TaskType } from '@iac-agent/protocol'
import type { Insertable, Selectable, Updateable } from 'kysely'
import type { WorkspaceTasksTable } from './schema/tasks.js'
import { openText, sealText } from './secret-box.js'
import type { Reader, Tx } from './store.js'

type Outputs = 'plan_output' | 'apply_output'

export interface TaskRow extends Omit<Selectable<WorkspaceTasksTable>, Outputs | 'task_type' | 'status' | 'stage'> {
  task_type: TaskType
  status: TaskStatus
  stage: Stage
}

/** The outputs are the last columns of the table: leaving them out leaves their pages unread. */
const columns = `id, workspace_id, pool_id, task_type, status, stage, description, context, attempt, agent_id, requeues, plan_attempt,
  base_state_version, changes_add, changes_change, changes_destroy, duration, error_code, error_message, confirmed_by, confirmed_at,
  confirmed_plan, confirm_description, cancel_requested_at, cancel_requested_by, cancel_force, unreachable_since, created_by,
  created_at, started_at, completed_at, plan_output_bytes, apply_output_bytes`

const byId = `SELECT ${columns} FROM workspace_tasks WHERE id = ?`

export async function findTask(reader: Reader, taskId: number): Promise<TaskRow | undefined> {
  return reader.hot.one<TaskRow>(byId, taskId)
}

/** Newest first, beginning below the id `before`. */
export async function listTaskRows(
  reader: Reader,
  filter: { workspaceId?: string | undefined; status?: TaskStatus | undefined; before: number; limit: number },
): Promise<TaskRow[]> {
  const where = ['id < ?']
  const values: unknown[] = [filter.before]
  if (filter.workspaceId !== undefined) {
    where.push('workspace_id = ?')
    values.push(filter.workspaceId)
  }
  if (filter.status !== undefined) {
    where.push('status = ?')
    values.push(filter.status)
  }
  const sql = `SELECT ${columns} FROM workspace_tasks WHERE ${where.join(' AND ')} ORDER BY id DESC LIMIT ?`
  return reader.hot.all<TaskRow>(sql, ...values, filter.limit)
}

/** Tasks that need an attempt and have none open: pending ones, and confirmed applies. */
export async function waitingTasks(reader: Reader): Promise<TaskRow[]> {
  return reader.hot.all<TaskRow>(
    `SELECT ${columns} FROM workspace_tasks t WHERE (status = 'pending' OR (status = 'apply_pending' AND confirmed_at IS NOT NULL))
     AND NOT EXISTS (SELECT 1 FROM task_attempts a WHERE a.task_id = t.id AND a.number = t.attempt AND a.state <> 'final')`,
  )
}

/** Answers the id of the new task. */
export async function insertTask(tx: Tx, row: Insertable<WorkspaceTasksTable>): Promise<number> {
  const result = await tx.db.insertInto('workspace_tasks').values(row).executeTakeFirst()
  return Number(result.insertId)
}

/** Moves the status from `from`; only domain/tasks/move-task.ts calls this. Answers how many rows changed: 0 when it had moved. */
export async function updateTaskStatus(
  tx: Tx,
  taskId: number,
  from: TaskStatus,
  patch: Updateable<WorkspaceTasksTable> & { status: TaskStatus },
): Promise<number> {
  const update = tx.db.updateTable('workspace_tasks').set(patch).where('id', '=', taskId).where('status', '=', from)
  return Number((await update.executeTakeFirst()).numUpdatedRows)
}

/** Changes anything but the status. */
export async function updateTask(
  tx: Tx,
  taskId: number,
  patch: Omit<Updateable<WorkspaceTasksTable>, 'status' | 'id'>,
): Promise<number> {
  const result = await tx.db.updateTable('workspace_tasks').set(patch).where('id', '=', taskId).executeTakeFirst()
  return Number(result.numUpdatedRows)
}

/** What an attempt says under way; undefined leaves the column as it is. Answers how many rows changed. */
export async function noteProgress(
  tx: Tx,
  taskId: number,
  progress: {
    readonly stage: Stage | undefined
    readonly changes_add: number | undefined
    readonly changes_change: number | undefined
    readonly changes_destroy: number | undefined
  },
): Promise<number> {
  return tx.hot.run(
    `UPDATE workspace_tasks SET stage = coalesce(?, stage), changes_add = coalesce(?, changes_add),
       changes_change = coalesce(?, changes_change), changes_destroy = coalesce(?, changes_destroy) WHERE id = ?`,
    progress.stage ?? null,
    progress.changes_add ?? null,
    progress.changes_change ?? null,
    progress.changes_destroy ?? null,
    taskId,
  )
}

/** Marks or clears that nobody hears from the attempt of a running task. Answers how many rows changed. */
export async function markUnreachable(tx: Tx, taskId: number, since: number | null): Promise<number> {
  return tx.hot.run(
    `UPDATE workspace_tasks SET unreachable_since = ? WHERE id = ? AND status = 'running' AND (unreachable_since IS NULL) = ?`,
    since,
    taskId,
    since === null ? 0 : 1,
  )
}

export async function insertSnapshot(tx: Tx, taskId: number, document: string): Promise<void> {
  await tx.db
    .insertInto('task_snapshots')
    .values({ task_id: taskId, document: sealText(document) })
    .execute()
}

export async function findSnapshot(reader: Reader, taskId: number): Promise<string | undefined> {
  const row = reader.hot.one<{ document: Buffer }>('SELECT document FROM task_snapshots WHERE task_id = ?', taskId)
  return row === undefined ? undefined : openText(row.document)
}
