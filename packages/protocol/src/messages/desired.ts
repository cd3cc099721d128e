/** What the server wants of each attempt an agent holds: said in `welcome`, in `heartbeat_ack` and in the HTTP heartbeat's answer. */
import { type Static, Type } from 'typebox'
import { AttemptNumber, TaskId } from '../words/common.js'

/** `forget` = stop counting, keep the data: all of it is delivered as late data. */
export const Want = Type.Enum(['run', 'cancel', 'force_cancel', 'forget'])
export type Want = Static<typeof Want>

export const DesiredTask = Type.Object({ task_id: TaskId, attempt: AttemptNumber, want: Want })
export type DesiredTask = Static<typeof DesiredTask>

/** `store_epoch` rises when the server's store was restored from a backup: what was acknowledged before may have to be sent again. */
export const Desired = Type.Object({
  desired: Type.Array(DesiredTask),
  draining: Type.Boolean(),
  store_epoch: Type.Optional(Type.Integer({ minimum: 1 })),
})
export type Desired = Static<typeof Desired>
