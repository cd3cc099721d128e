/** What is managed: workspaces, their variables, resources and uploaded configurations. */
import type { Generated } from 'kysely'
import type { Flag, FlagOff } from './access.js'

export interface WorkspacesTable {
  id: string
  name: string
  pool_id: string
  description: string | null
  terraform_version: string | null
  engine: Generated<string>
  auto_apply: FlagOff
  /** JSON: an object (JSON syntax) or a string (HCL) */
  tf_code: string | null
  /** JSON */
  provider_config: string | null
  /** JSON object of strings */
  system_variables: Generated<string>
  working_directory: Generated<string>
  /** JSON object of strings */
  labels: Generated<string>
  allow_unsaved_plan: FlagOff
  accept_empty_state: FlagOff
  lineage: string
  /** id of the current row of workspace_state_versions */
  tf_state: number | null
  configuration_id: string | null
  /** the plan_and_apply or destroy that holds it; move-task.ts sets and clears it */
  locked_by_task: number | null
  lock_owner: string | null
  lock_reason: string | null
  locked_at: number | null
  created_at: number
  updated_at: number
}

export interface WorkspaceVariablesTable {
  id: string
  workspace_id: string
  key: string
  /** sealed text */
  value: Buffer
  category: string
  sensitive: Flag
  hcl: Flag
  description: string | null
  created_at: number
  updated_at: number
}

export interface WorkspaceResourcesTable {
  id: string
  workspace_id: string
  resource_type: string
  resource_name: string
  /** number of the current version */
  current_version: number
  created_at: number
  updated_at: number
}

export interface WorkspaceResourceVersionsTable {
  resource_id: string
  version: number
  /** JSON: an object (JSON syntax) or a string (HCL) */
  tf_code: string
  created_by: string | null
  created_at: number
}

export interface ConfigurationsTable {
  id: string
  workspace_id: string
  sha256: string
  size_bytes: number
  /** JSON array of what was left out */
  skipped: string
  created_by: string | null
  created_at: number
}
