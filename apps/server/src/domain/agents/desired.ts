/** What the server wants of an agent's attempts, said again in every `welcome` and `heartbeat_ack`: a pure function. */
import type { CancelRung, DesiredTask } from '@iac-agent/protocol'

/** An attempt of this agent that the server counts as open (offered or live). */
export interface OpenAttempt {
  readonly taskId: number
  readonly attempt: number
  readonly isCancelRequested: boolean
  readonly isForced: boolean
}

/** An attempt the agent says it has. */
export interface ReportedAttempt {
  readonly taskId: number
  readonly attempt: number
  /** how far it has come with a cancel of it */
  readonly cancelRung?: CancelRung | undefined
}

export interface DesiredState {
  readonly desired: DesiredTask[]
  /** wanted, and unknown to the agent: each is followed by a full `run_task` */
  readonly unknown: OpenAttempt[]
}

/**
 * Open attempts are wanted (or to be cancelled); what the agent has beyond them is to be forgotten.
 * @param reported undefined when the agent told no inventory: then nothing is taken as unknown or forgotten
 */
export function desiredState(
  open: readonly OpenAttempt[],
  reported: readonly ReportedAttempt[] | undefined,
): DesiredState {
  const desired = open.map(
    (attempt): DesiredTask => ({ task_id: attempt.taskId, attempt: attempt.attempt, want: wanted(attempt) }),
  )
  if (reported === undefined) return { desired, unknown: [] }
  const openKeys = new Set(open.map(keyOf))
  const reportedKeys = new Set(reported.map(keyOf))
  for (const attempt of reported) {
    if (!openKeys.has(keyOf(attempt)))
      desired.push({ task_id: attempt.taskId, attempt: attempt.attempt, want: 'forget' })
  }
  const unknown = open.filter((attempt) => !attempt.isCancelRequested && !reportedKeys.has(keyOf(attempt)))
  return { desired, unknown }
}

function wanted(attempt: OpenAttempt): DesiredTask['want'] {
  if (!attempt.isCancelRequested) return 'run'
  return attempt.isForced ? 'force_cancel' : 'cancel'
}

function keyOf(attempt: ReportedAttempt): string {
  return `${attempt.taskId}/${attempt.attempt}`
}
