/** Operator API: tasks, their output, and events. */
import { type Static, Type } from 'typebox'
import { defineEndpoint } from '../endpoint.js'
import { limits } from '../limits.js'
import { TaskCancel } from '../words/cancel.js'
import { Address, AttemptNumber, Nullable, Offset, PageQuery, page, TaskId, Timestamp } from '../words/common.js'
import { PendingReason } from '../words/pending-reason.js'
import { Phase, Stage, TaskStatus, TaskType } from '../words/task-words.js'
import { UnrecordedCounts, UnrecordedReport, UnrecordedResource } from '../words/unrecorded-resource.js'
import { Usage } from '../words/usage.js'
import { ResourceReport } from './agent-tasks.js'

const tag = 'tasks'
const limitBytes = limits.jsonBodyBytes
const exact = { additionalProperties: false } as const
const IdParams = Type.Object({ id: TaskId })
const reader = { audience: 'read_only', tag } as const
const writer = { audience: 'operator', tag } as const
const description = Type.Optional(Nullable(Type.String({ maxLength: limits.descriptionLength })))

export const TaskCreate = Type.Object(
  {
    task_type: TaskType,
    description,
    targets: Type.Optional(Type.Array(Address, { maxItems: 1000 })),
    replace: Type.Optional(Type.Array(Address, { maxItems: 1000 })),
    refresh: Type.Optional(Type.Boolean()),
  },
  exact,
)
export type TaskCreate = Static<typeof TaskCreate>

/** `agent_name` is typed by hand: the name of the agent that is given up. */
export const DeclareLost = Type.Object(
  { agent_name: Type.String({ minLength: 1, maxLength: limits.nameLength }) },
  exact,
)
export type DeclareLost = Static<typeof DeclareLost>

/** `duration` in whole seconds; the outputs are the last 64 KiB, `…_truncated` when there is more. */
export const Task = Type.Object({
  id: TaskId,
  workspace_id: Type.String(),
  task_type: TaskType,
  status: TaskStatus,
  stage: Stage,
  attempt: Nullable(AttemptNumber),
  agent_id: Nullable(Type.String()),
  description: Nullable(Type.String()),
  pending_reason: Nullable(PendingReason),
  confirmed_by: Nullable(Type.String()),
  confirmed_at: Nullable(Timestamp),
  cancel: Nullable(TaskCancel),
  unreachable_since: Nullable(Timestamp),
  changes_add: Nullable(Type.Integer()),
  changes_change: Nullable(Type.Integer()),
  changes_destroy: Nullable(Type.Integer()),
  plan_output: Nullable(Type.String()),
  plan_output_truncated: Type.Optional(Type.Boolean()),
  apply_output: Nullable(Type.String()),
  apply_output_truncated: Type.Optional(Type.Boolean()),
  error_code: Nullable(Type.String()),
  error_message: Nullable(Type.String()),
  /** created by the apply and in no state of it: /tasks/:id/unrecorded-resources lists them. Null: nobody had to compare */
  unrecorded_resources: Nullable(UnrecordedCounts),
  created_at: Timestamp,
  started_at: Nullable(Timestamp),
  completed_at: Nullable(Timestamp),
  duration: Nullable(Type.Integer()),
  /** of the newest attempt of the phase that told; null before it ends, and from agents that do not tell */
  plan_usage: Nullable(Usage),
  apply_usage: Nullable(Usage),
})
export type Task = Static<typeof Task>

export const ResourceChange = Type.Object({
  address: Type.String(),
  resource_type: Type.String(),
  actions: Type.Array(Type.String(), { description: "terraform's: create, update, delete, read, no-op" }),
  /** the newest progress report of the apply, if any */
  progress: Nullable(ResourceReport),
})
export type ResourceChange = Static<typeof ResourceChange>

/** Zeros and no items as long as nobody had to compare. */
export const UnrecordedResources = Type.Object({
  ...UnrecordedReport.properties,
  items: Type.Array(
    Type.Object({
      ...UnrecordedResource.properties,
      import_block: Nullable(Type.String({ description: 'HCL for the root module; null without an id' })),
    }),
  ),
})
export type UnrecordedResources = Static<typeof UnrecordedResources>

export const taskEndpoints = {
  create: defineEndpoint({
    name: 'createTask',
    method: 'POST',
    path: '/api/v1/workspaces/:id/tasks',
    ...writer,
    summary: 'Queues a task; its inputs are frozen now. Idempotency-Key makes a repeat answer the same task.',
    params: Type.Object({ id: Type.String() }),
    body: { json: TaskCreate, limitBytes },
    answer: { status: 201, json: Task },
  }),
  list: defineEndpoint({
    name: 'listTasks',
    method: 'GET',
    path: '/api/v1/tasks',
    ...reader,
    summary: 'Lists tasks, newest first, without their outputs.',
    query: Type.Object({
      ...PageQuery.properties,
      workspace_id: Type.Optional(Type.String()),
      status: Type.Optional(TaskStatus),
    }),
    answer: { status: 200, json: page(Task) },
  }),
  get: defineEndpoint({
    name: 'getTask',
    method: 'GET',
    path: '/api/v1/tasks/:id',
    ...reader,
    summary: 'One task.',
    params: IdParams,
    answer: { status: 200, json: Task },
  }),
  confirm: defineEndpoint({
    name: 'confirmTask',
    method: 'POST',
    path: '/api/v1/tasks/:id/confirm',
    ...writer,
    summary: 'Confirms the stored plan for apply; 409 plan_stale when the state moved since.',
    params: IdParams,
    body: { json: Type.Object({ description }, exact), limitBytes },
    answer: { status: 200, json: Task },
  }),
  discard: defineEndpoint({
    name: 'discardTask',
    method: 'POST',
    path: '/api/v1/tasks/:id/discard',
    ...writer,
    summary: 'Discards a plan that waits for confirmation.',
    params: IdParams,
    body: { json: Type.Object({ description }, exact), limitBytes },
    answer: { status: 200, json: Task },
  }),
  cancel: defineEndpoint({
    name: 'cancelTask',
    method: 'POST',
    path: '/api/v1/tasks/:id/cancel',
    ...writer,
    summary: 'Asks for an end; force may lose resources in flight.',
    params: IdParams,
    body: { json: Type.Object({ force: Type.Optional(Type.Boolean()) }, exact), limitBytes },
    answer: { status: 202, json: Task },
  }),
  declareLost: defineEndpoint({
    name: 'declareTaskLost',
    method: 'POST',
    path: '/api/v1/tasks/:id/declare-lost',
    ...writer,
    summary:
      'Gives up an unreachable apply: it fails as lost, and its workspace stays locked until a person unlocks it.',
    params: IdParams,
    body: { json: DeclareLost, limitBytes },
    answer: { status: 200, json: Task },
  }),
  logs: defineEndpoint({
    name: 'getTaskLogs',
    method: 'GET',
    path: '/api/v1/tasks/:id/logs',
    ...reader,
    summary: 'Log bytes from an offset; X-Next-Offset and X-Log-State say where and whether it ends.',
    params: IdParams,
    query: Type.Object({
      phase: Type.Optional(Phase),
      attempt: Type.Optional(AttemptNumber),
      offset: Type.Optional(Offset),
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 16 * 1024 * 1024 })),
    }),
    answer: { status: 200, raw: 'text/plain; charset=utf-8' },
  }),
  logStream: defineEndpoint({
    name: 'streamTaskLogs',
    method: 'GET',
    path: '/api/v1/tasks/:id/logs/stream',
    ...reader,
    summary: 'The log as server-sent events; id is the offset after the event, Last-Event-ID resumes.',
    params: IdParams,
    query: Type.Object({ phase: Type.Optional(Phase), offset: Type.Optional(Offset) }),
    answer: { status: 200, raw: 'text/event-stream' },
  }),
  planJson: defineEndpoint({
    name: 'getPlanJson',
    method: 'GET',
    path: '/api/v1/tasks/:id/plan-json',
    ...reader,
    summary: "The plan in terraform's JSON, redacted.",
    params: IdParams,
    answer: { status: 200, raw: 'application/json' },
  }),
  resourceChanges: defineEndpoint({
    name: 'getResourceChanges',
    method: 'GET',
    path: '/api/v1/tasks/:id/resource-changes',
    ...reader,
    summary: 'What the plan changes, with progress while it is applied.',
    params: IdParams,
    answer: { status: 200, json: Type.Object({ items: Type.Array(ResourceChange) }) },
  }),
  unrecordedResources: defineEndpoint({
    name: 'getUnrecordedResources',
    method: 'GET',
    path: '/api/v1/tasks/:id/unrecorded-resources',
    ...reader,
    summary: 'What the apply created and no state of it holds, with ready-made import blocks.',
    params: IdParams,
    answer: { status: 200, json: UnrecordedResources },
  }),
  events: defineEndpoint({
    name: 'streamEvents',
    method: 'GET',
    path: '/api/v1/events',
    ...reader,
    summary: 'What changes, as server-sent events: task, workspace, agent.',
    answer: { status: 200, raw: 'text/event-stream' },
  }),
} as const
