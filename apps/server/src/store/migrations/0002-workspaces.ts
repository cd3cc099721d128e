/** Workspaces, variables, resources, configurations. */
import type { Migration } from './migration.js'

export const workspaces: Migration = {
  version: 2,
  name: 'workspaces',
  statements: ({ int, bytes }) => [
    `CREATE TABLE workspaces (
      id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, pool_id TEXT NOT NULL REFERENCES pools (id), description TEXT,
      terraform_version TEXT, engine TEXT NOT NULL DEFAULT 'terraform', auto_apply ${int} NOT NULL DEFAULT 0, tf_code TEXT,
      provider_config TEXT, system_variables TEXT NOT NULL DEFAULT '{}', working_directory TEXT NOT NULL DEFAULT '',
      labels TEXT NOT NULL DEFAULT '{}', allow_unsaved_plan ${int} NOT NULL DEFAULT 0, accept_empty_state ${int} NOT NULL DEFAULT 0,
      lineage TEXT NOT NULL, tf_state ${int}, configuration_id TEXT, locked_by_task ${int}, lock_owner TEXT, lock_reason TEXT,
      locked_at ${int}, created_at ${int} NOT NULL, updated_at ${int} NOT NULL)`,
    'CREATE INDEX workspaces_of_pool ON workspaces (pool_id)',
    `CREATE TABLE workspace_variables (
      id TEXT PRIMARY KEY, workspace_id TEXT NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE, key TEXT NOT NULL,
      value ${bytes} NOT NULL, category TEXT NOT NULL, sensitive ${int} NOT NULL, hcl ${int} NOT NULL, description TEXT,
      created_at ${int} NOT NULL, updated_at ${int} NOT NULL, UNIQUE (workspace_id, category, key))`,
    `CREATE TABLE workspace_resources (
      id TEXT PRIMARY KEY, workspace_id TEXT NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE, resource_type TEXT NOT NULL,
      resource_name TEXT NOT NULL, current_version ${int} NOT NULL, created_at ${int} NOT NULL, updated_at ${int} NOT NULL,
      UNIQUE (workspace_id, resource_type, resource_name))`,
    `CREATE TABLE workspace_resource_versions (
      resource_id TEXT NOT NULL REFERENCES workspace_resources (id) ON DELETE CASCADE, version ${int} NOT NULL, tf_code TEXT NOT NULL,
      created_by TEXT, created_at ${int} NOT NULL, PRIMARY KEY (resource_id, version))`,
    `CREATE TABLE configurations (
      id TEXT PRIMARY KEY, workspace_id TEXT NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE, sha256 TEXT NOT NULL,
      size_bytes ${int} NOT NULL, skipped TEXT NOT NULL DEFAULT '[]', created_by TEXT, created_at ${int} NOT NULL)`,
    'CREATE INDEX configurations_of_workspace ON configurations (workspace_id)',
  ],
}
