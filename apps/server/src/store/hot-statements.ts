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

/** A stored chunk: its text begins at `start_offset` of its stream. */
export interface LogChunkRow {
  start_offset: number
  /** the text, or what gzip made of it when `is_packed` */
  bytes: Buffer
  is_packed: number
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

  /** The stream of the newest attempt that has some of a phase's output. */
  async newestOutput(taskId: number, phase: string): Promise<Pick<LogStreamRow, 'id' | 'length_bytes'> | undefined> {
    return this.one(
      'SELECT id, length_bytes FROM task_log_streams WHERE task_id = ? AND phase = ? AND length_bytes > 0 ORDER BY attempt DESC',
      taskId,
      phase,
    )
  }

  /** Chunks that hold bytes of [from, to), in order. */
  async logChunks(streamId: number, from: number, to: number): Promise<LogChunkRow[]> {
    return this.all<LogChunkRow>(
      `SELECT start_offset, bytes, is_packed FROM task_logs WHERE stream_id = ? AND start_offset < ? AND start_offset >= coalesce(
         (SELECT max(start_offset) FROM task_logs WHERE stream_id = ? AND start_offset <= ?), 0) ORDER BY start_offset`,
      streamId,
      to,
      streamId,
      from,
    )
  }

  one<T>(sql: string, ...values: unknown[]): T | undefined {
    assertOpen(this.#scope)
    const { statement, rowOf } = this.#statements.rows(sql)
    const found = statement.get(...values) as unknown[] | undefined
    return found === undefined ? undefined : (rowOf(found) as T)
  }

  all<T>(sql: string, ...values: unknown[]): T[] {
    assertOpen(this.#scope)
    const { statement, rowOf } = this.#statements.rows(sql)
    return (statement.all(...values) as unknown[][]).map(rowOf) as T[]
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
    const known = await this.findLogStream(taskId, attempt, phase)
    if (known) return known
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

  /** Adds text at the stream's end, as `packed` when given. Answers false when the stream's length is no longer `atOffset`. */
  async appendLogChunk(
    streamId: number,
    atOffset: number,
    { bytes, packed }: { bytes: Buffer; packed?: Buffer | undefined },
    now: number,
  ): Promise<boolean> {
    const grown = this.run(
      'UPDATE task_log_streams SET length_bytes = length_bytes + ?, updated_at = ? WHERE id = ? AND length_bytes = ?',
      bytes.length,
      now,
      streamId,
      atOffset,
    )
    if (grown === 0) return false
    this.run(
      'INSERT INTO task_logs (stream_id, start_offset, bytes, created_at, is_packed) VALUES (?, ?, ?, ?, ?)',
      streamId,
      atOffset,
      packed ?? bytes,
      now,
      packed === undefined ? 0 : 1,
    )
    return true
  }

  /** Keeps the end of a phase's output beside its task. Answers the rows changed. */
  async keepOutputTail(taskId: number, phase: 'plan' | 'apply', tail: Buffer, totalBytes: number): Promise<number> {
    return this.run(
      `UPDATE workspace_tasks SET ${phase}_output = ?, ${phase}_output_bytes = ? WHERE id = ?`,
      tail,
      totalBytes,
      taskId,
    )
  }
}
