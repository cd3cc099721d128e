/** How far a cancel has come, for people who wait for it. */
import { type Static, Type } from 'typebox'
import { Nullable, Timestamp } from './common.js'

/** What an agent has done about a cancel: the newest rung of its ladder. */
export const CancelRung = Type.Enum([
  /** it knows; no command is signalled (yet) */
  'heard',
  'interrupt',
  'interrupt_again',
  'kill',
  /** no command of the attempt runs any more; what is left is delivered */
  'ended',
])
export type CancelRung = Static<typeof CancelRung>

/** `requested`: the agent has not said that it knows. */
export const CancelStep = Type.Enum(['requested', ...CancelRung.enum])
export type CancelStep = Static<typeof CancelStep>

export const TaskCancel = Type.Object({
  by: Type.String({ description: 'who asked, or insisted by force; an agent that cancels for its host names itself' }),
  requested_at: Nullable(Timestamp),
  force: Type.Boolean(),
  rung: CancelStep,
  since: Timestamp,
  waiting_for: Nullable(Type.String({ description: 'one sentence; null when the task has ended' })),
  may_lose: Nullable(
    Type.String({ description: 'what force may cost, in words; null without it and when the task has ended' }),
  ),
})
export type TaskCancel = Static<typeof TaskCancel>
