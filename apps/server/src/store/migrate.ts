/** Brings a SQLite file to the newest schema; refuses one that a newer server has written. */
import type { Database } from 'better-sqlite3'
import { crashPoint } from './crash-points.js'
import { access } from './migrations/0001-access.js'
import { workspaces } from './migrations/0002-workspaces.js'
import { tasks } from './migrations/0003-tasks.js'
import { results } from './migrations/0004-results.js'
import { promoted } from './migrations/0005-promoted.js'
import { cancelRungs } from './migrations/0006-cancel-rungs.js'
import { unrecorded } from './migrations/0007-unrecorded.js'
import { agentSecret } from './migrations/0008-agent-secret.js'
import { shortage } from './migrations/0009-shortage.js'
import { usage } from './migrations/0010-usage.js'
import { packedLogs } from './migrations/0011-packed-logs.js'
import type { ColumnWords, Migration } from './migrations/migration.js'
import { StoreError } from './store-error.js'

const migrations: readonly Migration[] = [
  access,
  workspaces,
  tasks,
  results,
  promoted,
  cancelRungs,
  unrecorded,
  agentSecret,
  shortage,
  usage,
  packedLogs,
]

const sqliteWords: ColumnWords = {
  serial: 'INTEGER PRIMARY KEY AUTOINCREMENT',
  int: 'INTEGER',
  real: 'REAL',
  bytes: 'BLOB',
}

/**
 * Applies what is missing, all in one transaction; two processes that open a new file at once take turns.
 * @param backup is called before a schema that is there is changed; what it throws ends the migration, and nothing was changed
 */
export function migrate(handle: Database, now: number, backup: (version: number) => void): void {
  handle.exec('BEGIN IMMEDIATE')
  try {
    handle.exec(
      'CREATE TABLE IF NOT EXISTS migrations (version INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at INTEGER NOT NULL)',
    )
    const present =
      handle.prepare<[], { version: number | null }>('SELECT max(version) AS version FROM migrations').get()?.version ??
      0
    if (present > migrations.length) throw newer(present)
    if (present > 0 && present < migrations.length) backup(present)
    for (const migration of migrations.slice(present)) apply(handle, migration, now)
    crashPoint('migrate.committing')
    handle.exec('COMMIT')
    crashPoint('migrate.committed')
  } catch (err) {
    if (handle.inTransaction) handle.exec('ROLLBACK')
    throw err
  }
}

function apply(handle: Database, migration: Migration, now: number): void {
  for (const statement of migration.statements(sqliteWords)) handle.exec(statement)
  handle
    .prepare('INSERT INTO migrations (version, name, applied_at) VALUES (?, ?, ?)')
    .run(migration.version, migration.name, now)
}

function newer(present: number): StoreError {
  return new StoreError(
    'store_newer',
    `the database has schema ${present}, this server knows ${migrations.length}: run the server version that wrote it, or a newer one`,
  )
}
