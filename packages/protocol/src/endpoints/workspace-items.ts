/** Operator API: the variables and resources of a workspace. */
import { type Static, type TSchema, Type } from 'typebox'
import { TfCode } from '../data-document.js'
import { defineEndpoint } from '../endpoint.js'
import { limits } from '../limits.js'
import { Empty, Nullable, PageQuery, page, Timestamp } from '../words/common.js'
import { VariableCategory } from '../words/task-words.js'
import { WorkspaceParams } from './workspaces.js'

const tag = 'workspaces'
const limitBytes = limits.jsonBodyBytes
const base = '/api/v1/workspaces'
const exact = { additionalProperties: false } as const
const create = { status: 201 } as const
const ok = { status: 200 } as const
const reader = { audience: 'read_only', tag } as const
const writer = { audience: 'operator', tag } as const
const itemParams = <const K extends string>(key: K) =>
  Type.Object({ id: Type.String(), [key]: Type.String() } as { id: ReturnType<typeof Type.String> } & Record<
    K,
    ReturnType<typeof Type.String>
  >)
const patchOf = <P extends Record<string, TSchema>>(fields: P) => Type.Partial(Type.Object(fields), exact)

const variable = {
  key: Type.String({ minLength: 1, maxLength: 256, pattern: '^[A-Za-z_][A-Za-z0-9_-]*$' }),
  value: Type.String({ maxLength: 256 * 1024 }),
  category: VariableCategory,
  sensitive: Type.Boolean(),
  hcl: Type.Boolean(),
}
export const VariableCreate = Type.Object(
  { ...variable, sensitive: Type.Optional(variable.sensitive), hcl: Type.Optional(variable.hcl) },
  exact,
)
export type VariableCreate = Static<typeof VariableCreate>
export const VariableUpdate = patchOf(variable)
export type VariableUpdate = Static<typeof VariableUpdate>
/** `value` is null when the variable is sensitive: write-only. */
export const Variable = Type.Object({
  id: Type.String(),
  ...variable,
  value: Nullable(Type.String()),
  created_at: Timestamp,
  updated_at: Timestamp,
})
export type Variable = Static<typeof Variable>

const resource = {
  resource_type: Type.String({ minLength: 1, maxLength: 256, pattern: '^[A-Za-z_][A-Za-z0-9_-]*$' }),
  resource_name: Type.String({ minLength: 1, maxLength: 256, pattern: '^[A-Za-z_][A-Za-z0-9_-]*$' }),
  tf_code: TfCode,
}
export const ResourceCreate = Type.Object(resource, exact)
export type ResourceCreate = Static<typeof ResourceCreate>
export const ResourceUpdate = patchOf(resource)
export type ResourceUpdate = Static<typeof ResourceUpdate>
export const Resource = Type.Object({
  id: Type.String(),
  ...resource,
  version: Type.Integer(),
  created_at: Timestamp,
  updated_at: Timestamp,
})
export type Resource = Static<typeof Resource>

export const variableEndpoints = {
  create: defineEndpoint({
    name: 'createVariable',
    method: 'POST',
    path: `${base}/:id/variables`,
    ...writer,
    summary: 'Adds a variable; sensitive values are write-only.',
    params: WorkspaceParams,
    body: { json: VariableCreate, limitBytes },
    answer: { ...create, json: Variable },
  }),
  list: defineEndpoint({
    name: 'listVariables',
    method: 'GET',
    path: `${base}/:id/variables`,
    ...reader,
    summary: 'Lists variables; sensitive values are null.',
    params: WorkspaceParams,
    query: PageQuery,
    answer: { ...ok, json: page(Variable) },
  }),
  update: defineEndpoint({
    name: 'updateVariable',
    method: 'PATCH',
    path: `${base}/:id/variables/:variable_id`,
    ...writer,
    summary: 'Changes a variable.',
    params: itemParams('variable_id'),
    body: { json: VariableUpdate, limitBytes },
    answer: { ...ok, json: Variable },
  }),
  remove: defineEndpoint({
    name: 'deleteVariable',
    method: 'DELETE',
    path: `${base}/:id/variables/:variable_id`,
    ...writer,
    summary: 'Deletes a variable.',
    params: itemParams('variable_id'),
    answer: { ...ok, json: Empty },
  }),
} as const

export const resourceEndpoints = {
  create: defineEndpoint({
    name: 'createResource',
    method: 'POST',
    path: `${base}/:id/resources`,
    ...writer,
    summary: 'Adds a resource as its first version.',
    params: WorkspaceParams,
    body: { json: ResourceCreate, limitBytes },
    answer: { ...create, json: Resource },
  }),
  list: defineEndpoint({
    name: 'listResources',
    method: 'GET',
    path: `${base}/:id/resources`,
    ...reader,
    summary: 'Lists resources in their current version.',
    params: WorkspaceParams,
    query: PageQuery,
    answer: { ...ok, json: page(Resource) },
  }),
  update: defineEndpoint({
    name: 'updateResource',
    method: 'PATCH',
    path: `${base}/:id/resources/:resource_id`,
    ...writer,
    summary: 'Changes a resource: a new version.',
    params: itemParams('resource_id'),
    body: { json: ResourceUpdate, limitBytes },
    answer: { ...ok, json: Resource },
  }),
  remove: defineEndpoint({
    name: 'deleteResource',
    method: 'DELETE',
    path: `${base}/:id/resources/:resource_id`,
    ...writer,
    summary: 'Removes a resource from the next tasks.',
    params: itemParams('resource_id'),
    answer: { ...ok, json: Empty },
  }),
} as const
