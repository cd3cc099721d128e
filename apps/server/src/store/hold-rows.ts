/** What placement and the fence need of workspaces: demands, locks, the task that holds them, the current state. */
import type { Reader, Tx } from './store.js'

export interface HoldRow {
  id: string
  labels: string
  allow_unsaved_plan: number
  auto_apply: number
  locked_by_task: number | null
  lock_owner: string | null
  lock_reason: string | null
  /** row id of the current state version */
  tf_state: number | null
}

const columns = 'id, labels, allow_unsaved_plan, auto_apply, locked_by_task, lock_owner, lock_reason, tf_state'

export async function findHold(reader: Reader, workspaceId: string): Promise<HoldRow | undefined> {
  return reader.hot.one<HoldRow>(`SELECT ${columns} FROM workspaces WHERE id = ?`, workspaceId)
}

/** Workspaces of tasks that wait. */
export async function holdsOfWaiting(reader: Reader): Promise<HoldRow[]> {
  return reader.hot.all<HoldRow>(
    `SELECT ${columns} FROM workspaces WHERE id IN (SELECT workspace_id FROM workspace_tasks WHERE status IN ('pending', 'apply_pending'))`,
  )
}

/** Gives the workspace to a task. Answers how many rows changed: 0 when another task holds it. */
export async function holdWorkspace(tx: Tx, workspaceId: string, taskId: number): Promise<number> {
  return tx.hot.run(
    'UPDATE workspaces SET locked_by_task = ? WHERE id = ? AND (locked_by_task IS NULL OR locked_by_task = ?)',
    taskId,
    workspaceId,
    taskId,
  )
}

/** Takes it back from this task; 0 rows when the task did not hold it. */
export async function releaseWorkspace(tx: Tx, workspaceId: string, taskId: number): Promise<number> {
  return tx.hot.run(
    'UPDATE workspaces SET locked_by_task = NULL WHERE id = ? AND locked_by_task = ?',
    workspaceId,
    taskId,
  )
}

/** Of every task that waits for its apply: who planned it and where, and whether the plan is stored. */
export async function plansToApply(
  reader: Reader,
): Promise<{ task_id: number; agent_id: string; work_root: string | null; is_saved: number }[]> {
  return reader.hot.all(
    `SELECT t.id AS task_id, a.agent_id, a.work_root, p.sha256 IS NOT NULL AS is_saved FROM workspace_tasks t
     JOIN task_attempts a ON a.task_id = t.id AND a.number = t.plan_attempt
     LEFT JOIN plans p ON p.task_id = t.id AND p.attempt = t.plan_attempt
     WHERE t.status = 'apply_pending'`,
  )
}

export interface CurrentState {
  id: number
  version: number
  serial: number | null
  sha256: string
  size_bytes: number
}

/** The workspace's lineage and its current state, if it has one. */
export async function currentStateRow(
  reader: Reader,
  workspaceId: string,
): Promise<{ lineage: string; current: CurrentState | undefined }> {
  const row = reader.hot.one<{
    lineage: string
    id: number | null
    version: number
    serial: number | null
    sha256: string
    size_bytes: number
  }>(
    `SELECT w.lineage, v.id, v.version, v.serial, v.sha256, v.size_bytes FROM workspaces w
     LEFT JOIN workspace_state_versions v ON v.id = w.tf_state WHERE w.id = ?`,
    workspaceId,
  )
  if (row === undefined) throw new Error(`workspace ${workspaceId} has a task and no row`)
  const { lineage, ...state } = row
  return { lineage, current: state.id === null ? undefined : { ...state, id: state.id } }
}
