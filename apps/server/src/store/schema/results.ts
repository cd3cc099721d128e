/** What comes back: logs, states, plans, resource changes and reports, and the blobs that hold their bytes. */
import type { Generated } from 'kysely'
import type { Flag } from './access.js'

export interface TaskLogStreamsTable {
  id: Generated<number>
  task_id: number
  attempt: number
  phase: string
  length_bytes: Generated<number>
  sealed_bytes: number | null
  sealed_sha256: string | null
  created_at: number
  updated_at: number
}

export interface TaskLogsTable {
  id: Generated<number>
  stream_id: number
  start_offset: number
  /** as text, or packed by gzip when `is_packed` */
  bytes: Buffer
  created_at: number
  is_packed: Flag
}

export interface WorkspaceStateVersionsTable {
  id: Generated<number>
  workspace_id: string
  version: number
  serial: number
  lineage: string
  terraform_version: string | null
  sha256: string
  size_bytes: number
  /** stored from a stale writer or with an older serial: never current by itself */
  rescued: Flag
  rescue_reason: string | null
  checksum_unverified: Flag
  task_id: number | null
  attempt: number | null
  created_by: string | null
  /** row id of the version whose state this is, under a new serial */
  promoted_from: number | null
  created_at: number
}

export interface PlansTable {
  task_id: number
  attempt: number
  /** blob of the tar.gz; null when only plan-json came */
  sha256: string | null
  size_bytes: number | null
  json_sha256: string | null
  json_size_bytes: number | null
  late: Flag
  created_at: number
}

export interface ResourceChangesTable {
  task_id: number
  attempt: number
  position: number
  address: string
  previous_address: string | null
  module_address: string | null
  mode: string
  resource_type: string
  resource_name: string
  /** JSON: string, number or null */
  resource_index: string | null
  provider_name: string | null
  /** JSON array, terraform's words */
  actions: string
  action_reason: string | null
}

export interface ResourceReportsTable {
  task_id: number
  attempt: number
  address: string
  action: string
  status: string
  resource_id: string | null
  started_at: number | null
  finished_at: number | null
  error: string | null
  late: Flag
  updated_at: number
}

export interface UnrecordedResourcesTable {
  task_id: number
  attempt: number
  /** all there are; `items` is bounded */
  created: number
  may_exist: number
  updated_at: number
  /** JSON array, as the agent sent it */
  items: string
}

export interface BlobsTable {
  sha256: string
  size_bytes: number
  upload_id: string
  created_at: number
}

export interface BlobPartsTable {
  id: Generated<number>
  upload_id: string
  number: number
  /** sealed */
  bytes: Buffer
}

export interface BlobUploadsTable {
  id: string
  started_at: number
}
