/** Logs, states, plans, resource changes and reports, blobs. */
import type { Migration } from './migration.js'

export const results: Migration = {
  version: 4,
  name: 'results',
  statements: ({ serial, int, bytes }) => [
    `CREATE TABLE task_log_streams (
      id ${serial}, task_id ${int} NOT NULL REFERENCES workspace_tasks (id) ON DELETE CASCADE, attempt ${int} NOT NULL, phase TEXT NOT NULL,
      length_bytes ${int} NOT NULL DEFAULT 0, sealed_bytes ${int}, sealed_sha256 TEXT,
      created_at ${int} NOT NULL, updated_at ${int} NOT NULL, UNIQUE (task_id, attempt, phase))`,
    `CREATE TABLE task_logs (
      id ${serial}, stream_id ${int} NOT NULL REFERENCES task_log_streams (id) ON DELETE CASCADE, start_offset ${int} NOT NULL,
      bytes ${bytes} NOT NULL, created_at ${int} NOT NULL, UNIQUE (stream_id, start_offset))`,
    `CREATE TABLE workspace_state_versions (
      id ${serial}, workspace_id TEXT NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE, version ${int} NOT NULL, serial ${int} NOT NULL,
      lineage TEXT NOT NULL, terraform_version TEXT, sha256 TEXT NOT NULL, size_bytes ${int} NOT NULL, rescued ${int} NOT NULL DEFAULT 0,
      rescue_reason TEXT, checksum_unverified ${int} NOT NULL DEFAULT 0, task_id ${int}, attempt ${int}, created_by TEXT,
      created_at ${int} NOT NULL, UNIQUE (workspace_id, version))`,
    `CREATE TABLE plans (
      task_id ${int} NOT NULL REFERENCES workspace_tasks (id) ON DELETE CASCADE, attempt ${int} NOT NULL, sha256 TEXT, size_bytes ${int},
      json_sha256 TEXT, json_size_bytes ${int}, late ${int} NOT NULL DEFAULT 0,
      created_at ${int} NOT NULL, PRIMARY KEY (task_id, attempt))`,
    `CREATE TABLE resource_changes (
      task_id ${int} NOT NULL REFERENCES workspace_tasks (id) ON DELETE CASCADE, attempt ${int} NOT NULL, position ${int} NOT NULL,
      address TEXT NOT NULL, previous_address TEXT, module_address TEXT, mode TEXT NOT NULL, resource_type TEXT NOT NULL,
      resource_name TEXT NOT NULL, resource_index TEXT, provider_name TEXT, actions TEXT NOT NULL, action_reason TEXT,
      PRIMARY KEY (task_id, attempt, position))`,
    `CREATE TABLE resource_reports (
      task_id ${int} NOT NULL REFERENCES workspace_tasks (id) ON DELETE CASCADE, attempt ${int} NOT NULL, address TEXT NOT NULL,
      action TEXT NOT NULL, status TEXT NOT NULL, resource_id TEXT, started_at ${int}, finished_at ${int}, error TEXT,
      late ${int} NOT NULL DEFAULT 0, updated_at ${int} NOT NULL, PRIMARY KEY (task_id, attempt, address, action))`,
    `CREATE TABLE blobs (
      sha256 TEXT PRIMARY KEY, size_bytes ${int} NOT NULL, upload_id TEXT NOT NULL UNIQUE, created_at ${int} NOT NULL)`,
    `CREATE TABLE blob_parts (
      id ${serial}, upload_id TEXT NOT NULL, number ${int} NOT NULL, bytes ${bytes} NOT NULL, UNIQUE (upload_id, number))`,
    `CREATE TABLE blob_uploads (id TEXT PRIMARY KEY, started_at ${int} NOT NULL)`,
  ],
}
