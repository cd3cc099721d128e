/** Finds a workspace by what callers name it with. */
import { ApiError } from '@iac-agent/protocol'
import type { Reader } from '../../store/store.js'
import { findWorkspace, findWorkspaceByName, type WorkspaceViewRow } from '../../store/workspace-rows.js'

const byName = 'name:'

/** @param idOrName `ws-…`, or `name:prod`; @throws ApiError `not_found` */
export async function requireWorkspace(reader: Reader, idOrName: string): Promise<WorkspaceViewRow> {
  const workspace = idOrName.startsWith(byName)
    ? await findWorkspaceByName(reader, idOrName.slice(byName.length))
    : await findWorkspace(reader, idOrName)
  if (workspace === undefined) throw new ApiError('not_found', `workspace ${idOrName} does not exist`)
  return workspace
}
