/** The task data document: everything an agent needs to run one attempt (GET /tasks/:task_id/data). */
import { type Static, Type } from 'typebox'
import { AttemptNumber, Nullable, TaskId, Timestamp } from './words/common.js'
import { Engine, Phase, TaskType, VariableCategory } from './words/task-words.js'

/** A document in Terraform's JSON syntax (object), HCL text (string), or nothing. */
export const TfCode = Type.Union([Type.Record(Type.String(), Type.Unknown()), Type.String(), Type.Null()])
export type TfCode = Static<typeof TfCode>

export const TaskContext = Type.Object({
  targets: Type.Array(Type.String()),
  replace: Type.Array(Type.String()),
  refresh: Type.Boolean(),
  description: Nullable(Type.String()),
})
export type TaskContext = Static<typeof TaskContext>

export const DataTask = Type.Object({
  id: TaskId,
  workspace_id: Type.String(),
  task_type: TaskType,
  action: Phase,
  context: TaskContext,
  attempt: AttemptNumber,
  created_at: Timestamp,
})
export type DataTask = Static<typeof DataTask>

export const DataWorkspace = Type.Object({
  workspace_id: Type.String(),
  name: Type.String(),
  terraform_version: Nullable(Type.String({ description: 'a version or a constraint such as ~> 1.9; null takes any' })),
  engine: Engine,
  execution_mode: Type.Literal('remote'),
  provider_config: TfCode,
  tf_code: TfCode,
  system_variables: Type.Record(Type.String(), Type.String()),
  working_directory: Nullable(Type.String()),
  lineage: Type.String(),
  auto_apply: Type.Boolean(),
  accept_empty_state: Type.Boolean(),
})
export type DataWorkspace = Static<typeof DataWorkspace>

export const DataResource = Type.Object({
  id: Type.String(),
  resource_type: Type.String(),
  resource_name: Type.String(),
  current_version: Type.Object({ version: Type.Integer(), tf_code: TfCode, created_at: Timestamp }),
})
export type DataResource = Static<typeof DataResource>

/** `hcl`: the value is an HCL expression, not a string. Sensitive values are in clear here. */
export const DataVariable = Type.Object({
  key: Type.String(),
  value: Type.String(),
  category: VariableCategory,
  sensitive: Type.Boolean(),
  hcl: Type.Boolean(),
})
export type DataVariable = Static<typeof DataVariable>

/** `content` is the state as stored (raw JSON inside this document); absent with `?include_state=false`. */
export const DataState = Type.Object({
  version: Type.Integer({ minimum: 1 }),
  content: Type.Optional(Type.Unknown()),
  checksum: Type.String(),
  size: Type.Integer({ minimum: 0 }),
  serial: Type.Optional(Type.Integer({ description: 'what it counts as, also when its own bytes name none' })),
})
export type DataState = Static<typeof DataState>

export const DataConfiguration = Type.Object({ id: Type.String(), sha256: Type.String(), size: Type.Integer() })
export type DataConfiguration = Static<typeof DataConfiguration>

export const TaskData = Type.Object({
  task: DataTask,
  workspace: DataWorkspace,
  resources: Type.Array(DataResource),
  variables: Type.Array(DataVariable),
  state_version: Type.Optional(DataState),
  configuration: Type.Optional(DataConfiguration),
})
export type TaskData = Static<typeof TaskData>
