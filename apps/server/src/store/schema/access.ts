/** Who may talk to the server: pools with their keys, operators' tokens, agents; and the server's own facts. */
import type { ColumnType, Generated } from 'kysely'

/** An integer 0 or 1; true and false may be written. */
export type Flag = ColumnType<number, number | boolean, number | boolean>
/** A flag that is 0 when not given. */
export type FlagOff = ColumnType<number, number | boolean | undefined, number | boolean>

export interface PoolsTable {
  id: string
  name: string
  created_at: number
}

export interface PoolKeysTable {
  id: string
  pool_id: string
  app_key: string
  secret_hash: string
  description: string | null
  created_at: number
  expires_at: number | null
  revoked_at: number | null
  last_used_at: number | null
}

export interface OperatorTokensTable {
  id: string
  name: string
  role: string
  token_hash: string
  created_at: number
  expires_at: number | null
  revoked_at: number | null
  last_used_at: number | null
}

export interface AgentsTable {
  id: string
  pool_id: string
  name: string
  /** null: seed-only */
  registered_at: number | null
  version: string | null
  protocol_version: number | null
  /** JSON object */
  labels: Generated<string>
  plan_limit: Generated<number>
  /** JSON array */
  capabilities: Generated<string>
  work_root: string | null
  online: FlagOff
  connection_id: string | null
  instance_id: string | null
  boot_epoch: number | null
  /** an operator's wish */
  draining: FlagOff
  connected_at: number | null
  last_heartbeat_at: number | null
  /** as last reported */
  status: Generated<string>
  plan_running: Generated<number>
  apply_running: Generated<number>
  /** JSON array of task ids */
  current_tasks: Generated<string>
  cpu_usage: number | null
  mem_usage: number | null
  disk_free_bytes: number | null
  clock_skew_ms: number | null
  /** JSON of what a degraded agent is short of */
  shortage: string | null
  created_at: number
  /** null: it never said one */
  secret_hash: string | null
}

export interface MetaTable {
  key: string
  value: string
}
