/** C&C messages from server to agent: text frames `{type, payload}`. */
import { type Static, Type } from 'typebox'
import { AttemptNumber, Offset, TaskId } from '../words/common.js'
import { Phase } from '../words/task-words.js'
import { Desired } from './desired.js'
import { message } from './message.js'

/** The offer. `lease_token` goes back as `X-Task-Lease` on every route of this attempt. */
export const RunTask = Type.Object({
  task_id: TaskId,
  workspace_id: Type.String(),
  action: Phase,
  attempt: AttemptNumber,
  lease_token: Type.String({ minLength: 1 }),
  lease_ttl_ms: Type.Integer({ minimum: 1 }),
})
export type RunTask = Static<typeof RunTask>

/** `force` only when an operator said so: it may lose resources in flight. */
export const CancelTask = Type.Object({
  task_id: TaskId,
  attempt: Type.Optional(AttemptNumber),
  force: Type.Optional(Type.Boolean()),
})
export type CancelTask = Static<typeof CancelTask>

export const StreamTask = Type.Object({ task_id: TaskId })
export type StreamTask = Static<typeof StreamTask>

/** Bytes below `next_offset` are committed. */
export const LogAck = Type.Object({ task_id: TaskId, attempt: AttemptNumber, next_offset: Offset })
export type LogAck = Static<typeof LogAck>

export const Drain = Type.Object({ reason: Type.String() })
export type Drain = Static<typeof Drain>

export const serverMessageSchemas = {
  welcome: message('welcome', Desired),
  heartbeat_ack: message('heartbeat_ack', Desired),
  run_task: message('run_task', RunTask),
  cancel_task: message('cancel_task', CancelTask),
  start_realtime_stream: message('start_realtime_stream', StreamTask),
  stop_realtime_stream: message('stop_realtime_stream', StreamTask),
  log_ack: message('log_ack', LogAck),
  drain: message('drain', Drain),
} as const

export type ServerMessage = {
  [K in keyof typeof serverMessageSchemas]: Static<(typeof serverMessageSchemas)[K]>
}[keyof typeof serverMessageSchemas]
