/** A workspace as the API shows it. */
import type { Engine, Labels, TfCode, Workspace, WorkspaceLock } from '@iac-agent/protocol'
import type { Static } from 'typebox'
import type { WorkspaceViewRow } from '../../store/workspace-rows.js'
import { rfc3339 } from '../rfc3339.js'

export function workspaceView(row: WorkspaceViewRow): Workspace {
  return {
    id: row.id,
    name: row.name,
    pool_id: row.pool_id,
    terraform_version: row.terraform_version,
    engine: row.engine as Engine,
    auto_apply: row.auto_apply === 1,
    tf_code: codeOf(row.tf_code),
    provider_config: codeOf(row.provider_config),
    system_variables: JSON.parse(row.system_variables) as Record<string, string>,
    working_directory: row.working_directory === '' ? null : row.working_directory,
    labels: JSON.parse(row.labels) as Static<typeof Labels>,
    allow_unsaved_plan: row.allow_unsaved_plan === 1,
    accept_empty_state: row.accept_empty_state === 1,
    lineage: row.lineage,
    state_version: row.state_version,
    configuration_id: row.configuration_id,
    lock: lockOf(row),
    created_at: rfc3339(row.created_at),
    updated_at: rfc3339(row.updated_at),
  }
}

/** A document column: JSON of an object (JSON syntax) or of a string (HCL). */
export function codeOf(column: string | null): TfCode {
  return column === null ? null : (JSON.parse(column) as TfCode)
}

/** An operator's lock is shown before the hold of the task that runs. */
function lockOf(row: WorkspaceViewRow): WorkspaceLock | null {
  if (row.lock_owner !== null) {
    const lockedAt = rfc3339(row.locked_at ?? row.updated_at)
    return { reason: row.lock_reason ?? '', owner: row.lock_owner, task_id: null, locked_at: lockedAt }
  }
  if (row.locked_by_task === null) return null
  const reason = `task ${row.locked_by_task} may change it`
  const heldSince = rfc3339(row.held_since ?? row.updated_at)
  return { reason, owner: 'task', task_id: row.locked_by_task, locked_at: heldSince }
}
