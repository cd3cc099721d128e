/** What a `run_task` for an open attempt says, so that it can be sent again. */
import type { Phase } from '@iac-agent/protocol'
import type { OpenAttemptRow } from '../../store/attempt-rows.js'
import { leaseToken } from '../attempts/lease-token.js'
import type { OfferedLease } from '../ports.js'
import type { OpenAttempt } from './desired.js'

export interface RunOrder {
  readonly taskId: number
  readonly workspaceId: string
  readonly phase: Phase
  readonly lease: OfferedLease
}

/**
 * The orders for those of `open` the agent does not know. A seed-only agent is never told twice: it would run twice. A plan that was
 * accepted and is gone is made again as another attempt once its lease is over, since its log was begun; an apply has the start gate.
 */
export function missingOffers(open: readonly OpenAttemptRow[], unknown: readonly OpenAttempt[]): RunOrder[] {
  const wanted = new Set(unknown.map((attempt) => `${attempt.taskId}/${attempt.attempt}`))
  const mayRepeat = (row: OpenAttemptRow) => row.seed_only === 0 && (row.state === 'offered' || row.phase === 'apply')
  return open.filter((row) => mayRepeat(row) && wanted.has(`${row.task_id}/${row.number}`)).map(runOrder)
}

function runOrder(row: OpenAttemptRow): RunOrder {
  const lease = { attempt: row.number, leaseToken: leaseToken(row), leaseTtlMs: row.lease_ttl_ms }
  return { taskId: row.task_id, workspaceId: row.workspace_id, phase: row.phase, lease }
}
