/**
 * The tables as Kysely types, one file per family. Conventions: booleans are integers 0/1 (the driver binds true and false so),
 * times are epoch milliseconds, JSON is TEXT, sealed values (secret-box.ts) are BLOBs.
 */
import type { AgentsTable, MetaTable, OperatorTokensTable, PoolKeysTable, PoolsTable } from './schema/access.js'
import type {
  BlobPartsTable,
  BlobsTable,
  BlobUploadsTable,
  PlansTable,
  ResourceChangesTable,
  ResourceReportsTable,
  TaskLogStreamsTable,
  TaskLogsTable,
  UnrecordedResourcesTable,
  WorkspaceStateVersionsTable,
} from './schema/results.js'
import type {
  IdempotencyKeysTable,
  TaskAttemptsTable,
  TaskSnapshotsTable,
  WorkspaceTasksTable,
} from './schema/tasks.js'
import type {
  ConfigurationsTable,
  WorkspaceResourcesTable,
  WorkspaceResourceVersionsTable,
  WorkspacesTable,
  WorkspaceVariablesTable,
} from './schema/workspaces.js'

export interface Schema {
  pools: PoolsTable
  pool_keys: PoolKeysTable
  operator_tokens: OperatorTokensTable
  agents: AgentsTable
  meta: MetaTable
  workspaces: WorkspacesTable
  workspace_variables: WorkspaceVariablesTable
  workspace_resources: WorkspaceResourcesTable
  workspace_resource_versions: WorkspaceResourceVersionsTable
  configurations: ConfigurationsTable
  workspace_tasks: WorkspaceTasksTable
  task_snapshots: TaskSnapshotsTable
  task_attempts: TaskAttemptsTable
  idempotency_keys: IdempotencyKeysTable
  task_log_streams: TaskLogStreamsTable
  task_logs: TaskLogsTable
  workspace_state_versions: WorkspaceStateVersionsTable
  plans: PlansTable
  resource_changes: ResourceChangesTable
  resource_reports: ResourceReportsTable
  unrecorded_resources: UnrecordedResourcesTable
  blobs: BlobsTable
  blob_parts: BlobPartsTable
  blob_uploads: BlobUploadsTable
}
