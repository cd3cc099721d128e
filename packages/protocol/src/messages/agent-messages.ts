/** C&C messages from agent to server: text frames `{type, payload}`. Everything but a seed message's ids is optional for seed-only agents. */
import { type Static, Type } from 'typebox'
import { limits } from '../limits.js'
import { CancelRung } from '../words/cancel.js'
import { AttemptNumber, Offset, TaskId } from '../words/common.js'
import { Shortage } from '../words/shortage.js'
import { Phase, Stage } from '../words/task-words.js'
import { message } from './message.js'

export const InventoryTask = Type.Object({
  task_id: TaskId,
  attempt: AttemptNumber,
  action: Phase,
  stage: Stage,
  log_length: Offset,
  last_state_serial: Type.Optional(Type.Integer({ minimum: 0 })),
  cancel_rung: Type.Optional(CancelRung),
})
export type InventoryTask = Static<typeof InventoryTask>

/** The first message of a connection: who this is and what it holds. */
export const Hello = Type.Object({
  protocol_version: Type.Integer({ minimum: 0 }),
  agent_id: Type.String({ minLength: 1 }),
  instance_id: Type.String({ minLength: 1, description: 'of this process' }),
  boot_epoch: Type.Integer({ minimum: 0, description: 'rises with each start on this data directory' }),
  tasks: Type.Array(InventoryTask, { maxItems: limits.inventoryTasks }),
})
export type Hello = Static<typeof Hello>

/** A task in `current_tasks`: a bare id (seed), or an object that carries one. */
export const CurrentTask = Type.Union([
  TaskId,
  Type.Object({
    task_id: TaskId,
    attempt: Type.Optional(AttemptNumber),
    stage: Type.Optional(Stage),
    cancel_rung: Type.Optional(CancelRung),
  }),
])
export type CurrentTask = Static<typeof CurrentTask>

/** `cpu_usage` and `mem_usage` in percent of the machine, `disk_free_bytes` of the data directory, `shortage` while degraded. */
export const Heartbeat = Type.Object({
  agent_id: Type.Optional(Type.String()),
  status: Type.Optional(
    Type.String({ maxLength: 64, description: "idle, busy, draining, degraded or a seed-only agent's own word" }),
  ),
  plan_running: Type.Optional(Type.Integer({ minimum: 0 })),
  plan_limit: Type.Optional(Type.Integer({ minimum: 0 })),
  apply_running: Type.Optional(Type.Union([Type.Boolean(), Type.Integer({ minimum: 0 })])),
  current_tasks: Type.Optional(Type.Array(CurrentTask, { maxItems: limits.inventoryTasks })),
  cpu_usage: Type.Optional(Type.Number()),
  mem_usage: Type.Optional(Type.Number()),
  disk_free_bytes: Type.Optional(Type.Integer({ minimum: 0 })),
  shortage: Type.Optional(Shortage),
  timestamp: Type.Optional(Type.Union([Type.String(), Type.Number()])),
})
export type Heartbeat = Static<typeof Heartbeat>

export const TaskAccepted = Type.Object({ task_id: TaskId, attempt: AttemptNumber })
export type TaskAccepted = Static<typeof TaskAccepted>

export const TaskRejected = Type.Object({
  task_id: TaskId,
  attempt: AttemptNumber,
  reason: Type.Optional(Type.String({ maxLength: 1024 })),
})
export type TaskRejected = Static<typeof TaskRejected>

/** A hint that wakes the server; the status PUT is the fact. */
export const TaskEnded = Type.Object({
  task_id: TaskId,
  attempt: Type.Optional(AttemptNumber),
  error: Type.Optional(Type.String()),
})
export type TaskEnded = Static<typeof TaskEnded>

export const agentMessageSchemas = {
  hello: message('hello', Hello),
  heartbeat: message('heartbeat', Heartbeat),
  task_accepted: message('task_accepted', TaskAccepted),
  task_rejected: message('task_rejected', TaskRejected),
  task_completed: message('task_completed', TaskEnded),
  task_failed: message('task_failed', TaskEnded),
} as const

export type AgentMessage = {
  [K in keyof typeof agentMessageSchemas]: Static<(typeof agentMessageSchemas)[K]>
}[keyof typeof agentMessageSchemas]

/** The JSON line before the bytes of a live-log record (binary frames, raw deflate, sync-flushed). */
export const LiveLogHeader = Type.Object({ task_id: TaskId, attempt: AttemptNumber, phase: Phase, offset: Offset })
export type LiveLogHeader = Static<typeof LiveLogHeader>
