/** Attempts: one try of a task by one agent, with its lease. */
import type { CancelRung, Phase, TaskType, Usage } from '@iac-agent/protocol'
import type { Selectable } from 'kysely'
import type { TaskAttemptsTable } from './schema/tasks.js'
import type { Reader, Tx } from './store.js'

/** `offered`: the agent has not answered; `live`: accepted; `final`: ended, what it still sends is late. */
type AttemptState = 'offered' | 'live' | 'final'
/** How an attempt ended. `expired`: its lease; `withdrawn`: its offer, unanswered or taken back; `lost`: given up by a
 * person; `after_backup`: it is not in the backup that was restored (lost-attempt.ts). */
export type AttemptOutcome =
  | 'finished'
  | 'rejected'
  | 'withdrawn'
  | 'expired'
  | 'cancelled'
  | 'failed'
  | 'lost'
  | 'after_backup'

export interface AttemptRow extends Omit<Selectable<TaskAttemptsTable>, 'phase' | 'state' | 'outcome' | 'cancel_rung'> {
  phase: Phase
  state: AttemptState
  outcome: AttemptOutcome | null
  cancel_rung: CancelRung | null
}

/** An offered or live attempt with what its task says about it. */
export interface OpenAttemptRow {
  task_id: number
  number: number
  phase: Phase
  agent_id: string
  seed_only: number
  state: 'offered' | 'live'
  offered_at: number
  lease_expires_at: number
  lease_salt: string
  lease_ttl_ms: number
  hint_at: number | null
  workspace_id: string
  task_type: TaskType
  cancel_requested_at: number | null
  cancel_force: number
  unreachable_since: number | null
}

const openColumns = `a.task_id, a.number, a.phase, a.agent_id, a.seed_only, a.state, a.offered_at, a.lease_expires_at, a.lease_salt,
  a.lease_ttl_ms, a.hint_at, t.workspace_id, t.task_type, t.cancel_requested_at, t.cancel_force, t.unreachable_since`

export async function findAttempt(reader: Reader, taskId: number, number: number): Promise<AttemptRow | undefined> {
  return reader.hot.one<AttemptRow>('SELECT * FROM task_attempts WHERE task_id = ? AND number = ?', taskId, number)
}

/** The number of an apply after `plan` that is not in the backup this store was restored from; undefined when none is known. */
export function lostApplySince(reader: Reader, taskId: number, plan: number): number | undefined {
  const row = reader.hot.one<{ number: number }>(
    `SELECT number FROM task_attempts WHERE task_id = ? AND number > ? AND phase = 'apply' AND outcome = 'after_backup' LIMIT 1`,
    taskId,
    plan,
  )
  return row?.number
}

/** The number of the newest attempt this agent had of the task, or undefined. */
export async function newestAttemptOf(reader: Reader, taskId: number, agentId: string): Promise<number | undefined> {
  const row = reader.hot.one<{ number: number | null }>(
    'SELECT max(number) AS number FROM task_attempts WHERE task_id = ? AND agent_id = ?',
    taskId,
    agentId,
  )
  return row?.number ?? undefined
}

export async function openAttempts(reader: Reader): Promise<OpenAttemptRow[]> {
  return reader.hot.all<OpenAttemptRow>(
    `SELECT ${openColumns} FROM task_attempts a JOIN workspace_tasks t ON t.id = a.task_id WHERE a.state IN ('offered', 'live')`,
  )
}

/** Those of them that somebody may have to do something about: unanswered offers, unreported ends, wanted cancels. The rest just runs. */
export async function openAttemptsToMind(reader: Reader): Promise<OpenAttemptRow[]> {
  return reader.hot.all<OpenAttemptRow>(
    `SELECT ${openColumns} FROM task_attempts a JOIN workspace_tasks t ON t.id = a.task_id WHERE a.state IN ('offered', 'live')
     AND (a.state = 'offered' OR a.hint_at IS NOT NULL OR t.cancel_requested_at IS NOT NULL)`,
  )
}

/**
 * Made once: a text of this length costs as much to put together, and to look up, as the statement. After 'final' come 'live' and
 * 'offered': a range of the index, where SQLite would make a table of a list each time, at thrice the price for an idle agent.
 */
const openOfAgent = `SELECT ${openColumns} FROM task_attempts a JOIN workspace_tasks t ON t.id = a.task_id
  WHERE a.agent_id = ? AND a.state > 'final'`

export async function openAttemptsOf(reader: Reader, agentId: string): Promise<OpenAttemptRow[]> {
  return reader.hot.all<OpenAttemptRow>(openOfAgent, agentId)
}

/** Refused or unanswered offers that ended after `since`. */
export async function recentRefusals(
  reader: Reader,
  since: number,
  now: number,
): Promise<{ task_id: number; agent_id: string; reject_reason: string | null }[]> {
  return reader.hot.all(
    `SELECT task_id, agent_id, reject_reason FROM task_attempts
     WHERE outcome IN ('rejected', 'withdrawn') AND ended_at > ? AND ended_at <= ?`,
    since,
    now,
  )
}

export type NewAttempt = Pick<
  AttemptRow,
  'task_id' | 'number' | 'phase' | 'agent_id' | 'seed_only' | 'offered_at' | 'lease_salt' | 'lease_ttl_ms' | 'work_root'
>

/** @throws StoreError when the number is taken: two offers of one attempt cannot both be made */
export async function insertAttempt(tx: Tx, row: NewAttempt): Promise<void> {
  await tx.db
    .insertInto('task_attempts')
    .values({ ...row, state: 'offered', lease_expires_at: row.offered_at + row.lease_ttl_ms })
    .execute()
}

/** An attempt that was over before this store heard of it. */
export async function insertEndedAttempt(tx: Tx, row: AttemptRow): Promise<void> {
  await tx.db.insertInto('task_attempts').values(row).execute()
}

/** Answers how many rows changed: 0 when the offer is no longer open. */
export async function acceptAttempt(tx: Tx, taskId: number, number: number, now: number): Promise<number> {
  return tx.hot.run(
    `UPDATE task_attempts SET state = 'live', accepted_at = ?, lease_expires_at = ? + lease_ttl_ms
     WHERE task_id = ? AND number = ? AND state = 'offered'`,
    now,
    now,
    taskId,
    number,
  )
}

/** Ends an open attempt. Answers how many rows changed: 0 when it had ended before. */
export async function endAttempt(
  tx: Tx,
  attempt: { task_id: number; number: number },
  end: { outcome: AttemptOutcome; finalStatus?: string; rejectReason?: string; usage?: Usage | undefined },
  now: number,
): Promise<number> {
  return tx.hot.run(
    `UPDATE task_attempts SET state = 'final', outcome = ?, ended_at = ?, final_status = ?, reject_reason = ?, peak_rss_bytes = ?, cpu_ms = ?
     WHERE task_id = ? AND number = ? AND state <> 'final'`,
    end.outcome,
    now,
    end.finalStatus ?? null,
    end.rejectReason ?? null,
    end.usage?.peak_rss_bytes ?? null,
    end.usage?.cpu_ms ?? null,
    attempt.task_id,
    attempt.number,
  )
}

/** Answers how many rows changed: 0 when it was heard before, or the attempt has ended. */
export async function noteCancelRung(
  tx: Tx,
  attempt: { task_id: number; number: number },
  rung: CancelRung,
  now: number,
): Promise<number> {
  return tx.hot.run(
    `UPDATE task_attempts SET cancel_rung = ?, cancel_rung_at = ?
     WHERE task_id = ? AND number = ? AND state <> 'final' AND cancel_rung IS NOT ?`,
    rung,
    now,
    attempt.task_id,
    attempt.number,
    rung,
  )
}

export type AttemptFacts = Partial<
  Pick<AttemptRow, 'start_id' | 'start_at' | 'base_state_version' | 'hint_at' | 'hint_error'>
>

/** Records facts of an attempt that has not ended. Answers how many rows changed. */
export async function noteAttempt(
  tx: Tx,
  attempt: { task_id: number; number: number },
  facts: AttemptFacts,
): Promise<number> {
  const result = await tx.db
    .updateTable('task_attempts')
    .set(facts)
    .where('task_id', '=', attempt.task_id)
    .where('number', '=', attempt.number)
    .where('state', '<>', 'final')
    .executeTakeFirst()
  return Number(result.numUpdatedRows)
}
