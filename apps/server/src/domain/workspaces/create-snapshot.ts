/** The inputs of a task, frozen in the form agents get them. */
import type { DataConfiguration, DataResource, DataVariable, TfCode } from '@iac-agent/protocol'
import { findConfiguration } from '../../store/configuration-rows.js'
import { openText } from '../../store/secret-box.js'
import type { Reader } from '../../store/store.js'
import { allResources, allVariables, type ResourceRow, type VariableRow } from '../../store/workspace-item-rows.js'
import { rfc3339 } from '../rfc3339.js'
import type { TaskSnapshot } from '../tasks/task-snapshot.js'
import { requireWorkspace } from './require-workspace.js'
import { codeOf, workspaceView } from './workspace-view.js'

/** Sensitive values are in clear; whoever stores it seals it. */
export async function createSnapshot(reader: Reader, workspaceId: string): Promise<TaskSnapshot> {
  const row = await requireWorkspace(reader, workspaceId)
  const workspace = workspaceView(row)
  return {
    workspace: {
      workspace_id: workspace.id,
      name: workspace.name,
      terraform_version: workspace.terraform_version,
      engine: workspace.engine,
      execution_mode: 'remote',
      provider_config: workspace.provider_config,
      tf_code: workspace.tf_code,
      system_variables: workspace.system_variables,
      working_directory: workspace.working_directory,
      auto_apply: workspace.auto_apply,
      accept_empty_state: workspace.accept_empty_state,
    },
    resources: (await allResources(reader, row.id)).map(dataResource),
    variables: (await allVariables(reader, row.id)).map(dataVariable),
    configuration: await dataConfiguration(reader, row.configuration_id),
  }
}

function dataResource(row: ResourceRow): DataResource {
  const tfCode: TfCode = codeOf(row.tf_code)
  return {
    id: row.id,
    resource_type: row.resource_type,
    resource_name: row.resource_name,
    current_version: { version: row.current_version, tf_code: tfCode, created_at: rfc3339(row.version_at) },
  }
}

function dataVariable(row: VariableRow): DataVariable {
  return {
    key: row.key,
    value: openText(row.value),
    category: row.category as DataVariable['category'],
    sensitive: row.sensitive === 1,
    hcl: row.hcl === 1,
  }
}

async function dataConfiguration(reader: Reader, id: string | null): Promise<DataConfiguration | null> {
  const row = id === null ? undefined : await findConfiguration(reader, id)
  return row === undefined ? null : { id: row.id, sha256: row.sha256, size: row.size_bytes }
}
