/**
 * Leases, as columns of their attempts: renewing, extending, finding those that are over. All times are of `Clock.monotonic`, as are
 * `offered_at`, `accepted_at` and `hint_at`: setting the host's clock ends nothing and keeps nothing alive.
 */
import type { OpenAttemptRow } from './attempt-rows.js'
import type { Reader, Tx } from './store.js'

/** Renews one lease to its full TTL. Answers how many rows changed: 0 when the attempt has ended. */
export async function renewLease(tx: Tx, taskId: number, number: number, now: number): Promise<number> {
  return tx.hot.run(
    `UPDATE task_attempts SET lease_expires_at = ? + lease_ttl_ms WHERE task_id = ? AND number = ? AND state = 'live'`,
    now,
    taskId,
    number,
  )
}

/** Renews every live lease of the agent. */
export async function renewLeasesOf(tx: Tx, agentId: string, now: number): Promise<number> {
  return tx.hot.run(
    `UPDATE task_attempts SET lease_expires_at = ? + lease_ttl_ms WHERE agent_id = ? AND state = 'live'`,
    now,
    agentId,
  )
}

/**
 * Every live lease gets a full TTL, every unanswered offer and unreported end its full time: the server, or its database, was away.
 * What an earlier process stored may be of another time, so nothing of it is kept. Answers how many leases there are.
 */
export async function renewAllLeases(tx: Tx, now: number): Promise<number> {
  tx.hot.run(`UPDATE task_attempts SET offered_at = ? WHERE state = 'offered'`, now)
  return tx.hot.run(
    `UPDATE task_attempts SET lease_expires_at = ? + lease_ttl_ms, hint_at = CASE WHEN hint_at IS NULL THEN NULL ELSE ? END
     WHERE state = 'live'`,
    now,
    now,
  )
}

export async function extendAllLeases(tx: Tx, byMs: number): Promise<number> {
  return tx.hot.run(`UPDATE task_attempts SET lease_expires_at = lease_expires_at + ? WHERE state = 'live'`, byMs)
}

export async function countLiveLeases(reader: Reader): Promise<number> {
  const row = reader.hot.one<{ leases: number }>(`SELECT count(*) AS leases FROM task_attempts WHERE state = 'live'`)
  return row?.leases ?? 0
}

/** Live attempts whose lease is over and whose task is not yet marked unreachable, the longest over first. */
export async function leasesOver(
  reader: Reader,
  now: number,
): Promise<Pick<OpenAttemptRow, 'task_id' | 'number' | 'phase' | 'agent_id' | 'seed_only' | 'lease_expires_at'>[]> {
  return reader.hot.all(
    `SELECT a.task_id, a.number, a.phase, a.agent_id, a.seed_only, a.lease_expires_at
     FROM task_attempts a JOIN workspace_tasks t ON t.id = a.task_id
     WHERE a.state = 'live' AND a.lease_expires_at < ? AND t.unreachable_since IS NULL ORDER BY a.lease_expires_at`,
    now,
  )
}
