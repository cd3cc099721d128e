/** Every status each task was given, in order, noted by the database itself: more than a look now and then can see. */
import { join } from 'node:path'
import type { RunningServer } from '@iac-agent/testkit'
import Database from 'better-sqlite3'

export interface StatusMoves extends Disposable {
  /** Of one task, oldest first; one that was given twice is there twice. */
  of(taskId: number): string[]
}

/** From now on; the server's store may be in use. */
export function recordStatusMoves({ dataDir }: RunningServer): StatusMoves {
  const handle = new Database(join(dataDir, 'store.sqlite'))
  handle.pragma('busy_timeout = 10000')
  handle.exec(`
    CREATE TABLE test_status_moves (task_id INTEGER NOT NULL, status TEXT NOT NULL);
    CREATE TRIGGER test_status_moved AFTER UPDATE OF status ON workspace_tasks
    BEGIN INSERT INTO test_status_moves VALUES (new.id, new.status); END`)
  const select = handle.prepare<[number], string>(
    'SELECT status FROM test_status_moves WHERE task_id = ? ORDER BY rowid',
  )
  return {
    of: (taskId) => select.pluck().all(taskId),
    [Symbol.dispose]: () => handle.close(),
  }
}
