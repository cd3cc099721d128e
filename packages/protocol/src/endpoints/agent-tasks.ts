/** Agent API, attempt by attempt: data, start, logs, status, plan, progress, state. */
import { type Static, Type } from 'typebox'
import { TaskData } from '../data-document.js'
import { defineEndpoint } from '../endpoint.js'
import { limits } from '../limits.js'
import { Address, Offset, Sha256, TaskId, Timestamp } from '../words/common.js'
import { Phase, Stage, TaskStatus } from '../words/task-words.js'
import { UnrecordedReport } from '../words/unrecorded-resource.js'
import { Usage } from '../words/usage.js'

const tag = 'agent task'
const base = '/api/v1/agents/tasks/:task_id'
const audience = 'attempt'
export const TaskParams = Type.Object({ task_id: TaskId })
/** A stale attempt's data is stored and acknowledged with `late: true`. */
const late = { late: Type.Optional(Type.Literal(true)) }
const octets = ['application/octet-stream'] as const
const archives = ['application/gzip', 'application/octet-stream'] as const

export const StartRequest = Type.Object({ start_id: Type.String({ minLength: 1, maxLength: 128 }) })
export type StartRequest = Static<typeof StartRequest>

/** The seed's chunk: `offset` counts UTF-8 bytes. */
export const LogChunk = Type.Object({
  phase: Phase,
  content: Type.String(),
  offset: Offset,
  checksum: Type.Optional(Type.String()),
})
export type LogChunk = Static<typeof LogChunk>

export const LogChunkAnswer = Type.Object({
  status: Type.Literal('ok'),
  next_offset: Offset,
  saved_bytes: Type.Integer({ minimum: 0 }),
  ...late,
})
export type LogChunkAnswer = Static<typeof LogChunkAnswer>

export const SealRequest = Type.Object({ phase: Phase, total_bytes: Offset, sha256: Sha256 })
export type SealRequest = Static<typeof SealRequest>

export const StatusUpdate = Type.Object({
  status: TaskStatus,
  stage: Type.Optional(Stage),
  changes_add: Type.Optional(Type.Integer({ minimum: 0 })),
  changes_change: Type.Optional(Type.Integer({ minimum: 0 })),
  changes_destroy: Type.Optional(Type.Integer({ minimum: 0 })),
  duration: Type.Optional(Type.Number({ minimum: 0, description: 'seconds' })),
  error_code: Type.Optional(Type.String({ maxLength: 64 })),
  error_message: Type.Optional(Type.String({ maxLength: 16_384 })),
  /** With a status that ends the attempt: kept for its phase. */
  usage: Type.Optional(Usage),
  /** The life of the store that acknowledged what this status speaks of; a store in another life answers `unavailable`. */
  store_epoch: Type.Optional(Type.Integer({ minimum: 1 })),
})
export type StatusUpdate = Static<typeof StatusUpdate>

/** The seed's state: `content` is taken as its raw slice of the body; it is never re-serialised. */
export const StateUpload = Type.Object({
  content: Type.Unknown(),
  checksum: Type.Optional(Type.String()),
  size: Type.Optional(Type.Integer({ minimum: 0 })),
})
export type StateUpload = Static<typeof StateUpload>

export const ResourceReport = Type.Object({
  address: Address,
  action: Type.String({ maxLength: 32, description: 'create, update, delete, replace or read' }),
  status: Type.Enum(['running', 'complete', 'errored']),
  id: Type.Optional(Type.String({ maxLength: 4096 })),
  started_at: Type.Optional(Timestamp),
  finished_at: Type.Optional(Timestamp),
  error: Type.Optional(Type.String({ maxLength: 4096 })),
})
export type ResourceReport = Static<typeof ResourceReport>

const PhaseQuery = Type.Object({ phase: Phase })

export const agentTaskEndpoints = {
  data: defineEndpoint({
    name: 'getTaskData',
    method: 'GET',
    path: `${base}/data`,
    audience,
    tag,
    summary: 'Everything the attempt needs: task, workspace, resources, variables, state.',
    params: TaskParams,
    query: Type.Object({ include_state: Type.Optional(Type.Boolean()) }),
    answer: { status: 200, json: TaskData },
  }),
  state: defineEndpoint({
    name: 'getTaskState',
    method: 'GET',
    path: `${base}/state`,
    audience,
    tag,
    summary: "The workspace's current state, raw; X-State-Version names it. 404 when there is none.",
    params: TaskParams,
    answer: { status: 200, raw: 'application/json' },
  }),
  configuration: defineEndpoint({
    name: 'getTaskConfiguration',
    method: 'GET',
    path: `${base}/configuration`,
    audience,
    tag,
    summary: 'The uploaded tree as tar.gz. 404 when the workspace has none.',
    params: TaskParams,
    answer: { status: 200, raw: 'application/gzip' },
  }),
  start: defineEndpoint({
    name: 'startApply',
    method: 'POST',
    path: `${base}/start`,
    audience,
    tag,
    summary: 'The last gate before terraform apply: answers 200 once for one start_id, and again for the same.',
    params: TaskParams,
    body: { json: StartRequest, limitBytes: limits.jsonBodyBytes },
    answer: { status: 200, json: Type.Object({ status: Type.Literal('started') }) },
  }),
  logChunk: defineEndpoint({
    name: 'saveLogChunk',
    method: 'POST',
    path: `${base}/logs/chunk`,
    audience,
    tag,
    summary: 'Appends log bytes at an offset; overlap must equal what is stored.',
    params: TaskParams,
    query: Type.Object({ phase: Type.Optional(Phase), offset: Type.Optional(Offset) }),
    body: { json: LogChunk, raw: octets, limitBytes: limits.logChunkJsonBytes },
    answer: { status: 200, json: LogChunkAnswer },
  }),
  logOffset: defineEndpoint({
    name: 'getLogOffset',
    method: 'GET',
    path: `${base}/logs/offset`,
    audience,
    tag,
    summary: 'How many bytes of the stream are stored.',
    params: TaskParams,
    query: PhaseQuery,
    answer: { status: 200, json: Type.Object({ next_offset: Offset }) },
  }),
  logSeal: defineEndpoint({
    name: 'sealLog',
    method: 'POST',
    path: `${base}/logs/seal`,
    audience,
    tag,
    summary: 'Ends a stream; total and SHA-256 prove it complete.',
    params: TaskParams,
    body: { json: SealRequest, limitBytes: limits.jsonBodyBytes },
    answer: { status: 200, json: Type.Object({ status: Type.Literal('complete'), ...late }) },
  }),
  status: defineEndpoint({
    name: 'updateTaskStatus',
    method: 'PUT',
    path: `${base}/status`,
    audience,
    tag,
    summary: 'Reports status, stage and change counts; the same again is 200.',
    params: TaskParams,
    body: { json: StatusUpdate, limitBytes: limits.jsonBodyBytes },
    answer: { status: 200, json: Type.Object({ status: TaskStatus, stage: Stage }) },
  }),
  putPlan: defineEndpoint({
    name: 'savePlan',
    method: 'PUT',
    path: `${base}/plan`,
    audience,
    tag,
    summary: 'Stores the plan archive (tar.gz: plan file, lock file, files made while planning).',
    params: TaskParams,
    body: { raw: archives, limitBytes: limits.planBytes },
    answer: { status: 200, json: Type.Object({ sha256: Type.String(), size: Type.Integer(), ...late }) },
  }),
  getPlan: defineEndpoint({
    name: 'getPlan',
    method: 'GET',
    path: `${base}/plan`,
    audience,
    tag,
    summary: 'The plan archive that was confirmed; X-Content-SHA256 proves it.',
    params: TaskParams,
    answer: { status: 200, raw: 'application/gzip' },
  }),
  planJson: defineEndpoint({
    name: 'savePlanJson',
    method: 'PUT',
    path: `${base}/plan-json`,
    audience,
    tag,
    summary: 'Stores the redacted `show -json` of the plan; resource changes are derived from it.',
    params: TaskParams,
    body: { raw: ['application/json', 'application/octet-stream'], limitBytes: limits.planJsonBytes },
    answer: { status: 200, json: Type.Object({ resource_changes: Type.Integer(), ...late }) },
  }),
  resources: defineEndpoint({
    name: 'reportResources',
    method: 'POST',
    path: `${base}/resources`,
    audience,
    tag,
    summary: 'Progress of single resources as the apply goes; the newest report of an address wins.',
    params: TaskParams,
    body: {
      json: Type.Object({ resources: Type.Array(ResourceReport, { maxItems: limits.resourceReports }) }),
      limitBytes: limits.jsonBodyBytes,
    },
    answer: { status: 200, json: Type.Object({ saved: Type.Integer(), ...late }) },
  }),
  unrecorded: defineEndpoint({
    name: 'saveUnrecordedResources',
    method: 'PUT',
    path: `${base}/unrecorded-resources`,
    audience,
    tag,
    summary: 'What an apply that did not end well created and no state of it holds; the same again is the same.',
    params: TaskParams,
    body: { json: UnrecordedReport, limitBytes: limits.jsonBodyBytes },
    answer: { status: 200, json: Type.Object({ saved: Type.Integer(), ...late }) },
  }),
  saveState: defineEndpoint({
    name: 'saveState',
    method: 'POST',
    path: `${base}/state`,
    audience,
    tag,
    summary: 'Stores a state: a new version, or the same one again for the same serial and bytes.',
    params: TaskParams,
    body: { json: StateUpload, raw: octets, limitBytes: limits.stateRawBytes },
    answer: {
      status: 200,
      json: Type.Object({
        message: Type.Literal('state saved successfully'),
        version: Type.Integer({ minimum: 1 }),
        ...late,
        rescued: Type.Optional(Type.Literal(true)),
      }),
    },
  }),
} as const
