/** Prepared statements of the paths that run per log chunk or per heartbeat, past Kysely. */
import { assertOpen, type PreparedStatements, type Scope } from './sqlite-connection.js'

/** One stream of a log, as its row says. */
export interface LogStreamRow {
  id: number
  task_id: number
  attempt: number
  phase: string
  length_bytes: number
  sealed_bytes: number | null
  sealed_sha256: string | null
}

/** A stored chunk: `bytes` begin at `start_offset` of their stream. */
export interface LogChunkRow {
  start_offset: number
  bytes: Buffer
}

/** The reading ones. Each resolves at once; promises keep the door open for a database behind a socket. */
export class HotReads {
  readonly #statements: PreparedStatements
  readonly #scope: Scope
  constructor(statements: PreparedStatements, scope: Scope) {
    this.#statements = statements
    this.#scope = scope
  }

  /** The same object for all bodies that see the very same data: what was derived from all of it can be kept by it. */
  snapshot(): object {
    assertOpen(this.#scope)
    return this.#statements.snapshot()
  }

  async findLogStream(taskId: number, attempt: number, phase: string): Promise<LogStreamRow | undefined> {
    return this.one<LogStreamRow>(
      'SELECT * FROM task_log_streams WHERE task_id = ? AND attempt = ? AND phase = ?',
      taskId,
      attempt,
      phase,
    )
  }

  /** The newest attempt of a phase that an agent took; the log of the phase is its stream. */
  async newestAttempt(taskId: number, phase: string): Promise<number | undefined> {
    const sql =
      'SELECT max(number) AS number FROM task_attempts WHERE task_id = ? AND phase = ? AND accepted_at IS NOT NULL'
    return this.one<{ number: number | null }>(sql, taskId, phase)?.number ?? undefined
  }

  /** Chunks that hold bytes of [from, to), in order. */
  async logChunks(streamId: number, from: number, to: number): Promise<LogChunkRow[]> {
    return this.all<LogChunkRow>(
      `SELECT start_offset, bytes FROM task_logs WHERE stream_id = ? AND start_offset < ? AND start_offset >= coalesce(
         (SELECT max(start_offset) FROM task_logs WHERE stream_id = ? AND start_offset <= ?), 0) ORDER BY start_offset`,
      streamId,
      to,
      streamId,
      from,
    )
  }

  one<T>(sql: string, ...values: unknown[]): T | undefined {
    assertOpen(this.#scope)
    return this.#statements.get(sql).get(...values) as T | undefined
  }

  all<T>(sql: string, ...values: unknown[]): T[] {
    assertOpen(this.#scope)
    return this.#statements.get(sql).all(...values) as T[]
  }

  /** Runs a statement that answers no rows; answers how many it changed. */
  run(sql: string, ...values: unknown[]): number {
    assertOpen(this.#scope)
    return this.#statements.get(sql).run(...values).changes
  }
}

/** The writing ones, methods of a tx. */
export class HotStatements extends HotReads {
  /** What a transaction sees, nobody else does yet. */
  override snapshot(): object {
    return {}
  }

  /** Makes the stream's row when it is new; answers it as it is. */
  async openLogStream(taskId: number, attempt: number, phase: string, now: number): Promise<LogStreamRow> {
    this.run(
      `INSERT INTO task_log_streams (task_id, attempt, phase, length_bytes, created_at, updated_at) VALUES (?, ?, ?, 0, ?, ?)
       ON CONFLICT (task_id, attempt, phase) DO NOTHING`,
      taskId,
      attempt,
      phase,
      now,
      now,
    )
    const row = await this.findLogStream(taskId, attempt, phase)
    if (!row) throw new Error(`log stream ${taskId}/${attempt}/${phase} vanished in its own transaction`)
    return row
  }

  /** Adds bytes at the stream's end. Answers false when the stream's length is no longer `atOffset`. */
  async appendLogChunk(streamId: number, atOffset: number, bytes: Buffer, now: number): Promise<boolean> {
    const grown = this.run(
      'UPDATE task_log_streams SET length_bytes = length_bytes + ?, updated_at = ? WHERE id = ? AND length_bytes = ?',
      bytes.length,
      now,
      streamId,
      atOffset,
    )
    if (grown === 0) return false
    this.run(
      'INSERT INTO task_logs (stream_id, start_offset, bytes, created_at) VALUES (?, ?, ?, ?)',
      streamId,
      atOffset,
      bytes,
      now,
    )
    return true
  }

  /** Keeps the last `limitBytes` of the output beside its task; `restart` begins a new attempt's. Answers the rows changed. */
  async keepOutputTail(
    taskId: number,
    phase: 'plan' | 'apply',
    bytes: Buffer,
    limitBytes: number,
    restart: boolean,
  ): Promise<number> {
    const before = restart ? "x''" : `coalesce(${phase}_output, x'')`
    const total = restart ? '0' : `${phase}_output_bytes`
    return this.run(
      `UPDATE workspace_tasks SET ${phase}_output = substr(CAST(${before} || ? AS BLOB), -${limitBytes}), ${phase}_output_bytes = ${total} + ?
       WHERE id = ?`,
      bytes,
      bytes.length,
      taskId,
    )
  }
}
