/** What is done: tasks, the inputs frozen for them, their attempts. */
import type { Generated } from 'kysely'
import type { Flag, FlagOff } from './access.js'

export interface WorkspaceTasksTable {
  id: Generated<number>
  workspace_id: string
  /** of the workspace when the task was made */
  pool_id: string
  task_type: string
  status: string
  stage: string
  description: string | null
  /** JSON {targets, replace, refresh, description} */
  context: string
  /** number of the newest attempt; 0: none yet */
  attempt: Generated<number>
  /** of the newest attempt */
  agent_id: string | null
  requeues: Generated<number>
  /** attempt whose plan is confirmed and applied */
  plan_attempt: number | null
  /** state version that plan was made on; 0: none */
  base_state_version: number | null
  changes_add: number | null
  changes_change: number | null
  changes_destroy: number | null
  /** whole seconds */
  duration: number | null
  error_code: string | null
  error_message: string | null
  confirmed_by: string | null
  confirmed_at: number | null
  confirmed_plan: number | null
  confirm_description: string | null
  cancel_requested_at: number | null
  cancel_requested_by: string | null
  cancel_force: FlagOff
  unreachable_since: number | null
  created_by: string | null
  created_at: number
  started_at: number | null
  completed_at: number | null
  /** bytes of the whole stream; more than the tail below holds: truncated */
  plan_output_bytes: Generated<number>
  apply_output_bytes: Generated<number>
  /** last 64 KiB of the newest attempt's stream, as bytes, written when it is sealed; what is answered is read from the stream */
  plan_output: Buffer | null
  apply_output: Buffer | null
}

export interface TaskSnapshotsTable {
  task_id: number
  /** sealed JSON */
  document: Buffer
}

export interface TaskAttemptsTable {
  task_id: number
  number: number
  phase: string
  agent_id: string
  seed_only: Flag
  /** offered, live, final */
  state: string
  outcome: string | null
  reject_reason: string | null
  offered_at: number
  accepted_at: number | null
  ended_at: number | null
  lease_salt: string
  lease_ttl_ms: number
  lease_expires_at: number
  start_id: string | null
  start_at: number | null
  work_root: string | null
  base_state_version: number | null
  final_status: string | null
  hint_at: number | null
  hint_error: string | null
  /** how far its agent has come with a cancel, and when that was first heard */
  cancel_rung: string | null
  cancel_rung_at: number | null
  /** of its terraform commands, told with its last status */
  peak_rss_bytes: number | null
  cpu_ms: number | null
}

export interface IdempotencyKeysTable {
  scope: string
  key: string
  request_sha256: string
  task_id: number
  created_at: number
}
