/** Operator API: workspaces, their settings, lock and configuration. */
import { type Static, Type } from 'typebox'
import { TfCode } from '../data-document.js'
import { defineEndpoint } from '../endpoint.js'
import { limits } from '../limits.js'
import { Empty, Labels, Name, Nullable, PageQuery, page, TaskId, Timestamp } from '../words/common.js'
import { Engine } from '../words/task-words.js'

const tag = 'workspaces'
const limitBytes = limits.jsonBodyBytes
const base = '/api/v1/workspaces'
const exact = { additionalProperties: false } as const
/** `ws-…`, or `name:prod`. */
export const WorkspaceParams = Type.Object({ id: Type.String() })

const settings = {
  terraform_version: Type.Optional(
    Nullable(Type.String({ maxLength: 64, description: 'a version, or a constraint such as ~> 1.9' })),
  ),
  engine: Type.Optional(Engine),
  auto_apply: Type.Optional(Type.Boolean()),
  tf_code: Type.Optional(TfCode),
  provider_config: Type.Optional(TfCode),
  system_variables: Type.Optional(Type.Record(Type.String(), Type.String())),
  working_directory: Type.Optional(
    Nullable(Type.String({ maxLength: 1024, description: 'relative, inside the uploaded tree' })),
  ),
  labels: Type.Optional(Labels),
  allow_unsaved_plan: Type.Optional(Type.Boolean()),
  accept_empty_state: Type.Optional(Type.Boolean()),
}

export const WorkspaceCreate = Type.Object({ name: Name, pool_id: Type.String(), ...settings }, exact)
export type WorkspaceCreate = Static<typeof WorkspaceCreate>
export const WorkspaceUpdate = Type.Object(
  { name: Type.Optional(Name), pool_id: Type.Optional(Type.String()), ...settings },
  exact,
)
export type WorkspaceUpdate = Static<typeof WorkspaceUpdate>

export const WorkspaceLock = Type.Object({
  reason: Type.String(),
  owner: Type.String({ description: "an operator token's name, or `task`" }),
  task_id: Nullable(TaskId),
  locked_at: Timestamp,
})
export type WorkspaceLock = Static<typeof WorkspaceLock>

export const Workspace = Type.Object({
  id: Type.String(),
  name: Type.String(),
  pool_id: Type.String(),
  terraform_version: Nullable(Type.String()),
  engine: Engine,
  auto_apply: Type.Boolean(),
  tf_code: TfCode,
  provider_config: TfCode,
  system_variables: Type.Record(Type.String(), Type.String()),
  working_directory: Nullable(Type.String()),
  labels: Labels,
  allow_unsaved_plan: Type.Boolean(),
  accept_empty_state: Type.Boolean(),
  lineage: Type.String(),
  state_version: Nullable(Type.Integer()),
  configuration_id: Nullable(Type.String()),
  lock: Nullable(WorkspaceLock),
  created_at: Timestamp,
  updated_at: Timestamp,
})
export type Workspace = Static<typeof Workspace>

export const ConfigurationAnswer = Type.Object({
  id: Type.String(),
  sha256: Type.String(),
  skipped: Type.Array(Type.String(), { description: 'entries left out: .git, .terraform, *.tfstate*' }),
})
export type ConfigurationAnswer = Static<typeof ConfigurationAnswer>

const create = { status: 201 } as const
const ok = { status: 200 } as const
const reader = { audience: 'read_only', tag } as const
const writer = { audience: 'operator', tag } as const

export const workspaceEndpoints = {
  create: defineEndpoint({
    name: 'createWorkspace',
    method: 'POST',
    path: base,
    ...writer,
    summary: 'Creates a workspace; its state lineage is fixed here.',
    body: { json: WorkspaceCreate, limitBytes },
    answer: { ...create, json: Workspace },
  }),
  list: defineEndpoint({
    name: 'listWorkspaces',
    method: 'GET',
    path: base,
    ...reader,
    summary: 'Lists workspaces.',
    query: PageQuery,
    answer: { ...ok, json: page(Workspace) },
  }),
  get: defineEndpoint({
    name: 'getWorkspace',
    method: 'GET',
    path: `${base}/:id`,
    ...reader,
    summary: 'One workspace.',
    params: WorkspaceParams,
    answer: { ...ok, json: Workspace },
  }),
  update: defineEndpoint({
    name: 'updateWorkspace',
    method: 'PATCH',
    path: `${base}/:id`,
    ...writer,
    summary: 'Changes settings; tasks already created keep what they were created with.',
    params: WorkspaceParams,
    body: { json: WorkspaceUpdate, limitBytes },
    answer: { ...ok, json: Workspace },
  }),
  remove: defineEndpoint({
    name: 'deleteWorkspace',
    method: 'DELETE',
    path: `${base}/:id`,
    ...writer,
    summary: 'Deletes a workspace with its tasks and states; 409 while a task of it is not final.',
    params: WorkspaceParams,
    answer: { ...ok, json: Empty },
  }),
  lock: defineEndpoint({
    name: 'lockWorkspace',
    method: 'POST',
    path: `${base}/:id/lock`,
    ...writer,
    summary: 'Locks a workspace: no task of it starts.',
    params: WorkspaceParams,
    body: {
      json: Type.Object({ reason: Type.Optional(Type.String({ maxLength: limits.descriptionLength })) }, exact),
      limitBytes,
    },
    answer: { ...ok, json: Workspace },
  }),
  unlock: defineEndpoint({
    name: 'unlockWorkspace',
    method: 'POST',
    path: `${base}/:id/unlock`,
    ...writer,
    summary: 'Unlocks a workspace; 409 while an attempt that can write state is not final.',
    params: WorkspaceParams,
    body: { json: Type.Object({}, exact), limitBytes },
    answer: { ...ok, json: Workspace },
  }),
  putConfiguration: defineEndpoint({
    name: 'putConfiguration',
    method: 'PUT',
    path: `${base}/:id/configuration`,
    ...writer,
    summary: 'Uploads the tree terraform needs as tar.gz; later tasks run it.',
    params: WorkspaceParams,
    body: {
      raw: ['application/gzip', 'application/x-gzip', 'application/x-tar', 'application/octet-stream'],
      limitBytes: limits.configurationPackedBytes,
    },
    answer: { ...ok, json: ConfigurationAnswer },
  }),
} as const
