/** Why a task waits, in words: the closed list of protocol.md. */
import { type Static, Type } from 'typebox'

export const PendingCode = Type.Enum([
  'no_agent_online',
  'no_capable_agent',
  'no_agent_with_labels',
  'no_agent_with_work_root',
  'agents_busy',
  'agents_degraded',
  'agents_draining',
  'work_directory_busy',
  'workspace_busy',
  'workspace_locked',
  'awaiting_confirmation',
  'awaiting_agent',
])
export type PendingCode = Static<typeof PendingCode>

export const PendingReason = Type.Object({
  code: PendingCode,
  message: Type.String(),
  details: Type.Record(Type.String(), Type.Unknown()),
})
export type PendingReason = Static<typeof PendingReason>
