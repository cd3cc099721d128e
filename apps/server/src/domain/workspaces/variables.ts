/** Variables of a workspace; a sensitive value goes in and is never shown again. */
import { ApiError, type Variable, type VariableCreate, type VariableUpdate } from '@iac-agent/protocol'
import type { Clock } from '@iac-agent/runtime'
import { openText, sealText } from '../../store/secret-box.js'
import type { Reader, Store } from '../../store/store.js'
import { isUniqueViolation } from '../../store/store-error.js'
import {
  deleteVariableRow,
  findVariable,
  insertVariable,
  listVariableRows,
  updateVariableRow,
  type VariableRow,
} from '../../store/workspace-item-rows.js'
import { type ListPage, type ListQuery, listPage, pageRequest } from '../list-page.js'
import { newId } from '../new-id.js'
import { rfc3339 } from '../rfc3339.js'
import { requireWorkspace } from './require-workspace.js'
import { refuseNul, refuseReserved } from './workspace-settings.js'

interface Deps {
  store: Store
  clock: Clock
}

/** @throws ApiError `conflict` for a key taken in its category, `invalid_request` for a reserved name */
export function createVariable(deps: Deps, input: { workspaceId: string; body: VariableCreate }): Promise<Variable> {
  const { body } = input
  if (body.category === 'environment') refuseUnusable(body)
  const now = deps.clock.now()
  return guarded(body.key, () =>
    deps.store.transaction('create_variable', async (tx) => {
      const workspace = await requireWorkspace(tx, input.workspaceId)
      const row: VariableRow = {
        id: newId('var', now),
        workspace_id: workspace.id,
        key: body.key,
        value: sealText(body.value),
        category: body.category,
        sensitive: body.sensitive === true ? 1 : 0,
        hcl: body.hcl === true ? 1 : 0,
        description: null,
        created_at: now,
        updated_at: now,
      }
      await insertVariable(tx, row)
      tx.changed({ kind: 'workspace', workspaceId: workspace.id })
      return variableView(row)
    }),
  )
}

export function listVariables(
  deps: Deps,
  input: { workspaceId: string; query: ListQuery },
): Promise<ListPage<Variable>> {
  return deps.store.read(async (reader) => {
    const { id } = await requireWorkspace(reader, input.workspaceId)
    return listPage(await listVariableRows(reader, id, pageRequest(input.query)), variableView)
  })
}

/** A variable that stops being sensitive must get a new value: the old one is write-only. */
export function changeVariable(
  deps: Deps,
  input: { workspaceId: string; variableId: string; patch: VariableUpdate },
): Promise<Variable> {
  const { value, ...patch } = input.patch
  return guarded(patch.key ?? '', () =>
    deps.store.transaction('change_variable', async (tx) => {
      const row = await requireVariable(tx, input)
      const changed = { ...row, ...patch }
      if (changed.category === 'environment') refuseUnusable({ key: changed.key, value: value ?? openText(row.value) })
      if (row.sensitive === 1 && patch.sensitive === false && value === undefined)
        throw new ApiError('invalid_request', 'a variable that stops being sensitive needs a new value', {
          field: '/value',
        })
      const sealed = value === undefined ? {} : { value: sealText(value) }
      await updateVariableRow(tx, row.id, { ...patch, ...sealed, updated_at: deps.clock.now() })
      tx.changed({ kind: 'workspace', workspaceId: row.workspace_id })
      return variableView(await requireVariable(tx, input))
    }),
  )
}

export function deleteVariable(deps: Deps, input: { workspaceId: string; variableId: string }): Promise<void> {
  return deps.store.transaction('delete_variable', async (tx) => {
    const row = await requireVariable(tx, input)
    await deleteVariableRow(tx, row.workspace_id, row.id)
    tx.changed({ kind: 'workspace', workspaceId: row.workspace_id })
  })
}

function refuseUnusable({ key, value }: { key: string; value: string }): void {
  refuseReserved(key, '/key')
  refuseNul(value, '/value')
}

async function requireVariable(reader: Reader, input: { workspaceId: string; variableId: string }) {
  const workspace = await requireWorkspace(reader, input.workspaceId)
  const row = await findVariable(reader, workspace.id, input.variableId)
  if (row === undefined)
    throw new ApiError('not_found', `workspace ${workspace.id} has no variable ${input.variableId}`)
  return row
}

async function guarded<T>(key: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (err) {
    throw isUniqueViolation(err) ? new ApiError('conflict', `a variable ${key} of this category exists`) : err
  }
}

function variableView(row: VariableRow): Variable {
  return {
    id: row.id,
    key: row.key,
    value: row.sensitive === 1 ? null : openText(row.value),
    category: row.category as Variable['category'],
    sensitive: row.sensitive === 1,
    hcl: row.hcl === 1,
    created_at: rfc3339(row.created_at),
    updated_at: rfc3339(row.updated_at),
  }
}
