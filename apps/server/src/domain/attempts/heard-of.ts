/** An agent is heard, and with it the attempts it holds: offers it lists count as accepted, leases are renewed, tasks reachable. */
import type { CancelRung } from '@iac-agent/protocol'
import type { Clock } from '@iac-agent/runtime'
import type { OpenAttemptRow } from '../../store/attempt-rows.js'
import { noteCancelRung } from '../../store/attempt-rows.js'
import { findTaskWithAttempt } from '../../store/fence-rows.js'
import { renewLease, renewLeasesOf } from '../../store/lease-rows.js'
import type { Tx } from '../../store/store.js'
import { markUnreachable } from '../../store/task-rows.js'
import type { ReportedAttempt } from '../agents/desired.js'
import { acceptOffer } from './accept-offer.js'

/**
 * @param open the agent's open attempts
 * @param reported what it says it holds; undefined renews all, and accepts none
 */
export async function heardOf(
  tx: Tx,
  agentId: string,
  open: readonly OpenAttemptRow[],
  reported: readonly ReportedAttempt[] | undefined,
  clock: Clock,
): Promise<void> {
  if (open.length === 0) return
  const held = reported === undefined ? open : open.filter((row) => reported.some((one) => isOf(row, one)))
  const live = held.filter((row) => row.state === 'live')
  if (live.length > 0 && live.length === open.length) await renewLeasesOf(tx, agentId, clock.monotonic())
  else for (const row of live) await renewLease(tx, row.task_id, row.number, clock.monotonic())
  for (const row of live.filter((one) => one.unreachable_since !== null)) {
    await markUnreachable(tx, row.task_id, null)
    tx.changed({ kind: 'task', taskId: row.task_id })
  }
  if (reported === undefined) return
  for (const row of held.filter((one) => one.state === 'offered')) await accept(tx, row, clock)
  for (const row of live) await noteRung(tx, row, reported.find((one) => isOf(row, one))?.cancelRung, clock.now())
}

async function noteRung(tx: Tx, row: OpenAttemptRow, rung: CancelRung | undefined, now: number): Promise<void> {
  if (rung !== undefined && (await noteCancelRung(tx, row, rung, now)) > 0)
    tx.changed({ kind: 'task', taskId: row.task_id })
}

function isOf(row: OpenAttemptRow, reported: ReportedAttempt): boolean {
  return row.task_id === reported.taskId && row.number === reported.attempt
}

async function accept(tx: Tx, row: OpenAttemptRow, clock: Clock): Promise<void> {
  const found = findTaskWithAttempt(tx, row.task_id, row.number)
  if (found?.attempt !== undefined) await acceptOffer(tx, { task: found.task, attempt: found.attempt }, clock)
}
