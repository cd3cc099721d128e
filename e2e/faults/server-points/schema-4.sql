-- A store as the server with schema 4 left it, with one pool.
CREATE TABLE migrations (version INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at INTEGER NOT NULL);
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE pools (id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, created_at INTEGER NOT NULL);
CREATE TABLE pool_keys (
      id TEXT PRIMARY KEY, pool_id TEXT NOT NULL REFERENCES pools (id) ON DELETE CASCADE, app_key TEXT NOT NULL UNIQUE,
      secret_hash TEXT NOT NULL, description TEXT, created_at INTEGER NOT NULL, expires_at INTEGER, revoked_at INTEGER, last_used_at INTEGER);
CREATE INDEX pool_keys_of_pool ON pool_keys (pool_id);
CREATE TABLE operator_tokens (
      id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, role TEXT NOT NULL, token_hash TEXT NOT NULL UNIQUE,
      created_at INTEGER NOT NULL, expires_at INTEGER, revoked_at INTEGER, last_used_at INTEGER);
CREATE TABLE agents (
      id TEXT PRIMARY KEY, pool_id TEXT NOT NULL REFERENCES pools (id), name TEXT NOT NULL, registered_at INTEGER, version TEXT,
      protocol_version INTEGER, labels TEXT NOT NULL DEFAULT '{}', plan_limit INTEGER NOT NULL DEFAULT 1,
      capabilities TEXT NOT NULL DEFAULT '{}', work_root TEXT, online INTEGER NOT NULL DEFAULT 0, connection_id TEXT, instance_id TEXT,
      boot_epoch INTEGER, draining INTEGER NOT NULL DEFAULT 0, connected_at INTEGER, last_heartbeat_at INTEGER,
      status TEXT NOT NULL DEFAULT 'offline', plan_running INTEGER NOT NULL DEFAULT 0, apply_running INTEGER NOT NULL DEFAULT 0,
      current_tasks TEXT NOT NULL DEFAULT '[]', cpu_usage REAL, mem_usage REAL, disk_free_bytes INTEGER, clock_skew_ms INTEGER,
      created_at INTEGER NOT NULL);
CREATE INDEX agents_of_pool ON agents (pool_id);
CREATE TABLE workspaces (
      id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, pool_id TEXT NOT NULL REFERENCES pools (id), description TEXT,
      terraform_version TEXT, engine TEXT NOT NULL DEFAULT 'terraform', auto_apply INTEGER NOT NULL DEFAULT 0, tf_code TEXT,
      provider_config TEXT, system_variables TEXT NOT NULL DEFAULT '{}', working_directory TEXT NOT NULL DEFAULT '',
      labels TEXT NOT NULL DEFAULT '{}', allow_unsaved_plan INTEGER NOT NULL DEFAULT 0, accept_empty_state INTEGER NOT NULL DEFAULT 0,
      lineage TEXT NOT NULL, tf_state INTEGER, configuration_id TEXT, locked_by_task INTEGER, lock_owner TEXT, lock_reason TEXT,
      locked_at INTEGER, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL);
CREATE INDEX workspaces_of_pool ON workspaces (pool_id);
CREATE TABLE workspace_variables (
      id TEXT PRIMARY KEY, workspace_id TEXT NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE, key TEXT NOT NULL,
      value BLOB NOT NULL, category TEXT NOT NULL, sensitive INTEGER NOT NULL, hcl INTEGER NOT NULL, description TEXT,
      created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, UNIQUE (workspace_id, category, key));
CREATE TABLE workspace_resources (
      id TEXT PRIMARY KEY, workspace_id TEXT NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE, resource_type TEXT NOT NULL,
      resource_name TEXT NOT NULL, current_version INTEGER NOT NULL, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL,
      UNIQUE (workspace_id, resource_type, resource_name));
CREATE TABLE workspace_resource_versions (
      resource_id TEXT NOT NULL REFERENCES workspace_resources (id) ON DELETE CASCADE, version INTEGER NOT NULL, tf_code TEXT NOT NULL,
      created_by TEXT, created_at INTEGER NOT NULL, PRIMARY KEY (resource_id, version));
CREATE TABLE configurations (
      id TEXT PRIMARY KEY, workspace_id TEXT NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE, sha256 TEXT NOT NULL,
      size_bytes INTEGER NOT NULL, skipped TEXT NOT NULL DEFAULT '[]', created_by TEXT, created_at INTEGER NOT NULL);
CREATE INDEX configurations_of_workspace ON configurations (workspace_id);
CREATE TABLE workspace_tasks (
      id INTEGER PRIMARY KEY AUTOINCREMENT, workspace_id TEXT NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE, pool_id TEXT NOT NULL, task_type TEXT NOT NULL,
      status TEXT NOT NULL, stage TEXT NOT NULL, description TEXT, context TEXT NOT NULL DEFAULT '{}', attempt INTEGER NOT NULL DEFAULT 0,
      agent_id TEXT, requeues INTEGER NOT NULL DEFAULT 0, plan_attempt INTEGER, base_state_version INTEGER, changes_add INTEGER,
      changes_change INTEGER, changes_destroy INTEGER, duration INTEGER, error_code TEXT, error_message TEXT, confirmed_by TEXT,
      confirmed_at INTEGER, confirmed_plan INTEGER, confirm_description TEXT, cancel_requested_at INTEGER, cancel_requested_by TEXT,
      cancel_force INTEGER NOT NULL DEFAULT 0, unreachable_since INTEGER, created_by TEXT, created_at INTEGER NOT NULL, started_at INTEGER,
      completed_at INTEGER, plan_output_bytes INTEGER NOT NULL DEFAULT 0, apply_output_bytes INTEGER NOT NULL DEFAULT 0,
      plan_output BLOB, apply_output BLOB);
CREATE INDEX workspace_tasks_by_status ON workspace_tasks (status);
CREATE INDEX workspace_tasks_of_workspace ON workspace_tasks (workspace_id, id);
CREATE TABLE task_snapshots (
      task_id INTEGER PRIMARY KEY REFERENCES workspace_tasks (id) ON DELETE CASCADE, document BLOB NOT NULL);
CREATE TABLE task_attempts (
      task_id INTEGER NOT NULL REFERENCES workspace_tasks (id) ON DELETE CASCADE, number INTEGER NOT NULL, phase TEXT NOT NULL,
      agent_id TEXT NOT NULL, seed_only INTEGER NOT NULL DEFAULT 0, state TEXT NOT NULL, outcome TEXT, reject_reason TEXT,
      offered_at INTEGER NOT NULL, accepted_at INTEGER, ended_at INTEGER, lease_salt TEXT NOT NULL,
      lease_ttl_ms INTEGER NOT NULL, lease_expires_at INTEGER NOT NULL, start_id TEXT, start_at INTEGER,
      work_root TEXT, base_state_version INTEGER, final_status TEXT, hint_at INTEGER, hint_error TEXT, PRIMARY KEY (task_id, number));
CREATE INDEX task_attempts_of_agent ON task_attempts (agent_id, state);
CREATE INDEX task_attempts_by_lease ON task_attempts (state, lease_expires_at);
CREATE INDEX task_attempts_refused ON task_attempts (ended_at) WHERE outcome IN ('rejected', 'withdrawn');
CREATE TABLE idempotency_keys (
      scope TEXT NOT NULL, key TEXT NOT NULL, request_sha256 TEXT NOT NULL, task_id INTEGER NOT NULL, created_at INTEGER NOT NULL,
      PRIMARY KEY (scope, key));
CREATE TABLE task_log_streams (
      id INTEGER PRIMARY KEY AUTOINCREMENT, task_id INTEGER NOT NULL REFERENCES workspace_tasks (id) ON DELETE CASCADE, attempt INTEGER NOT NULL, phase TEXT NOT NULL,
      length_bytes INTEGER NOT NULL DEFAULT 0, sealed_bytes INTEGER, sealed_sha256 TEXT,
      created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, UNIQUE (task_id, attempt, phase));
CREATE TABLE task_logs (
      id INTEGER PRIMARY KEY AUTOINCREMENT, stream_id INTEGER NOT NULL REFERENCES task_log_streams (id) ON DELETE CASCADE, start_offset INTEGER NOT NULL,
      bytes BLOB NOT NULL, created_at INTEGER NOT NULL, UNIQUE (stream_id, start_offset));
CREATE TABLE workspace_state_versions (
      id INTEGER PRIMARY KEY AUTOINCREMENT, workspace_id TEXT NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE, version INTEGER NOT NULL, serial INTEGER NOT NULL,
      lineage TEXT NOT NULL, terraform_version TEXT, sha256 TEXT NOT NULL, size_bytes INTEGER NOT NULL, rescued INTEGER NOT NULL DEFAULT 0,
      rescue_reason TEXT, checksum_unverified INTEGER NOT NULL DEFAULT 0, task_id INTEGER, attempt INTEGER, created_by TEXT,
      created_at INTEGER NOT NULL, UNIQUE (workspace_id, version));
CREATE TABLE plans (
      task_id INTEGER NOT NULL REFERENCES workspace_tasks (id) ON DELETE CASCADE, attempt INTEGER NOT NULL, sha256 TEXT, size_bytes INTEGER,
      json_sha256 TEXT, json_size_bytes INTEGER, late INTEGER NOT NULL DEFAULT 0,
      created_at INTEGER NOT NULL, PRIMARY KEY (task_id, attempt));
CREATE TABLE resource_changes (
      task_id INTEGER NOT NULL REFERENCES workspace_tasks (id) ON DELETE CASCADE, attempt INTEGER NOT NULL, position INTEGER NOT NULL,
      address TEXT NOT NULL, previous_address TEXT, module_address TEXT, mode TEXT NOT NULL, resource_type TEXT NOT NULL,
      resource_name TEXT NOT NULL, resource_index TEXT, provider_name TEXT, actions TEXT NOT NULL, action_reason TEXT,
      PRIMARY KEY (task_id, attempt, position));
CREATE TABLE resource_reports (
      task_id INTEGER NOT NULL REFERENCES workspace_tasks (id) ON DELETE CASCADE, attempt INTEGER NOT NULL, address TEXT NOT NULL,
      action TEXT NOT NULL, status TEXT NOT NULL, resource_id TEXT, started_at INTEGER, finished_at INTEGER, error TEXT,
      late INTEGER NOT NULL DEFAULT 0, updated_at INTEGER NOT NULL, PRIMARY KEY (task_id, attempt, address, action));
CREATE TABLE blobs (
      sha256 TEXT PRIMARY KEY, size_bytes INTEGER NOT NULL, upload_id TEXT NOT NULL UNIQUE, created_at INTEGER NOT NULL);
CREATE TABLE blob_parts (
      id INTEGER PRIMARY KEY AUTOINCREMENT, upload_id TEXT NOT NULL, number INTEGER NOT NULL, bytes BLOB NOT NULL, UNIQUE (upload_id, number));
CREATE TABLE blob_uploads (id TEXT PRIMARY KEY, started_at INTEGER NOT NULL);
INSERT INTO migrations VALUES (1, 'access', 0);
INSERT INTO migrations VALUES (2, 'workspaces', 0);
INSERT INTO migrations VALUES (3, 'tasks', 0);
INSERT INTO migrations VALUES (4, 'results', 0);
INSERT INTO pools VALUES ('p1', 'one', 0);
