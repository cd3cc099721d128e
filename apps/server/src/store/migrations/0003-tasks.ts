/** Tasks, snapshots, attempts, idempotency keys. */
import type { Migration } from './migration.js'

export const tasks: Migration = {
  version: 3,
  name: 'tasks',
  statements: ({ serial, int, bytes }) => [
    // The outputs are last: a row's other columns are read without walking through them.
    `CREATE TABLE workspace_tasks (
      id ${serial}, workspace_id TEXT NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE, pool_id TEXT NOT NULL, task_type TEXT NOT NULL,
      status TEXT NOT NULL, stage TEXT NOT NULL, description TEXT, context TEXT NOT NULL DEFAULT '{}', attempt ${int} NOT NULL DEFAULT 0,
      agent_id TEXT, requeues ${int} NOT NULL DEFAULT 0, plan_attempt ${int}, base_state_version ${int}, changes_add ${int},
      changes_change ${int}, changes_destroy ${int}, duration ${int}, error_code TEXT, error_message TEXT, confirmed_by TEXT,
      confirmed_at ${int}, confirmed_plan ${int}, confirm_description TEXT, cancel_requested_at ${int}, cancel_requested_by TEXT,
      cancel_force ${int} NOT NULL DEFAULT 0, unreachable_since ${int}, created_by TEXT, created_at ${int} NOT NULL, started_at ${int},
      completed_at ${int}, plan_output_bytes ${int} NOT NULL DEFAULT 0, apply_output_bytes ${int} NOT NULL DEFAULT 0,
      plan_output ${bytes}, apply_output ${bytes})`,
    'CREATE INDEX workspace_tasks_by_status ON workspace_tasks (status)',
    'CREATE INDEX workspace_tasks_of_workspace ON workspace_tasks (workspace_id, id)',
    `CREATE TABLE task_snapshots (
      task_id ${int} PRIMARY KEY REFERENCES workspace_tasks (id) ON DELETE CASCADE, document ${bytes} NOT NULL)`,
    `CREATE TABLE task_attempts (
      task_id ${int} NOT NULL REFERENCES workspace_tasks (id) ON DELETE CASCADE, number ${int} NOT NULL, phase TEXT NOT NULL,
      agent_id TEXT NOT NULL, seed_only ${int} NOT NULL DEFAULT 0, state TEXT NOT NULL, outcome TEXT, reject_reason TEXT,
      offered_at ${int} NOT NULL, accepted_at ${int}, ended_at ${int}, lease_salt TEXT NOT NULL,
      lease_ttl_ms ${int} NOT NULL, lease_expires_at ${int} NOT NULL, start_id TEXT, start_at ${int},
      work_root TEXT, base_state_version ${int}, final_status TEXT, hint_at ${int}, hint_error TEXT, PRIMARY KEY (task_id, number))`,
    'CREATE INDEX task_attempts_of_agent ON task_attempts (agent_id, state)',
    'CREATE INDEX task_attempts_by_lease ON task_attempts (state, lease_expires_at)',
    `CREATE INDEX task_attempts_refused ON task_attempts (ended_at) WHERE outcome IN ('rejected', 'withdrawn')`,
    `CREATE TABLE idempotency_keys (
      scope TEXT NOT NULL, key TEXT NOT NULL, request_sha256 TEXT NOT NULL, task_id ${int} NOT NULL, created_at ${int} NOT NULL,
      PRIMARY KEY (scope, key))`,
  ],
}
