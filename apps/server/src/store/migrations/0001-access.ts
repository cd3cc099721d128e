/** Pools, keys, tokens, agents, meta. */
import type { Migration } from './migration.js'

export const access: Migration = {
  version: 1,
  name: 'access',
  statements: ({ int, real }) => [
    'CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL)',
    `CREATE TABLE pools (id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, created_at ${int} NOT NULL)`,
    `CREATE TABLE pool_keys (
      id TEXT PRIMARY KEY, pool_id TEXT NOT NULL REFERENCES pools (id) ON DELETE CASCADE, app_key TEXT NOT NULL UNIQUE,
      secret_hash TEXT NOT NULL, description TEXT, created_at ${int} NOT NULL, expires_at ${int}, revoked_at ${int}, last_used_at ${int})`,
    'CREATE INDEX pool_keys_of_pool ON pool_keys (pool_id)',
    `CREATE TABLE operator_tokens (
      id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, role TEXT NOT NULL, token_hash TEXT NOT NULL UNIQUE,
      created_at ${int} NOT NULL, expires_at ${int}, revoked_at ${int}, last_used_at ${int})`,
    `CREATE TABLE agents (
      id TEXT PRIMARY KEY, pool_id TEXT NOT NULL REFERENCES pools (id), name TEXT NOT NULL, registered_at ${int}, version TEXT,
      protocol_version ${int}, labels TEXT NOT NULL DEFAULT '{}', plan_limit ${int} NOT NULL DEFAULT 1,
      capabilities TEXT NOT NULL DEFAULT '{}', work_root TEXT, online ${int} NOT NULL DEFAULT 0, connection_id TEXT, instance_id TEXT,
      boot_epoch ${int}, draining ${int} NOT NULL DEFAULT 0, connected_at ${int}, last_heartbeat_at ${int},
      status TEXT NOT NULL DEFAULT 'offline', plan_running ${int} NOT NULL DEFAULT 0, apply_running ${int} NOT NULL DEFAULT 0,
      current_tasks TEXT NOT NULL DEFAULT '[]', cpu_usage ${real}, mem_usage ${real}, disk_free_bytes ${int}, clock_skew_ms ${int},
      created_at ${int} NOT NULL)`,
    'CREATE INDEX agents_of_pool ON agents (pool_id)',
  ],
}
