/** Why a task failed: the closed list of `error_code`, each a row of docs/errors.md. */
import { type Static, Type } from 'typebox'

export const TaskErrorCode = Type.Enum([
  'configuration_invalid',
  'configuration_unsafe',
  'missing_variable',
  'provider_unavailable',
  'terraform_not_found',
  'terraform_version_unavailable',
  'checksum_mismatch',
  'init_failed',
  'plan_failed',
  'apply_failed',
  'plan_stale',
  'state_not_imported',
  'cli_workspace_used',
  'work_directory_busy',
  'already_started',
  'status_not_reported',
  'lease_expired',
  'lost',
  'disk_full',
  'memory_limit',
  'silence_timeout',
  'run_timeout',
  'killed',
  'out_of_memory',
  'agent_fault',
])
export type TaskErrorCode = Static<typeof TaskErrorCode>
