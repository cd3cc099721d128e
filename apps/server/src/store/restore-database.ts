/** The file work of a restore: a backup is staged beside the store, then moves into its place; the old store is kept. */
import { existsSync, linkSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { crashPoint } from './crash-points.js'
import { copyDatabase, removeUnfinished, sync } from './database-copy.js'
import { StoreError } from './store-error.js'

const stagingStart = 'restoring-'

/** What a folder's name begins with in which a restore makes its copy ready. */
export function stagingPrefix(dataDir: string): string {
  return join(dataDir, stagingStart)
}

/** Removes what killed processes left half made in a data directory. The caller holds its lock. */
export function sweepDataDir(dataDir: string): void {
  for (const start of ['operator-token.', 'before-schema-']) removeUnfinished(dataDir, start)
  for (const name of readdirSync(dataDir)) {
    if (name.startsWith(stagingStart)) rmSync(join(dataDir, name), { recursive: true, force: true })
  }
}

/**
 * Refuses a store that lost its WAL to a restore which was killed before it put the new one in place.
 * @throws StoreError `restore_unfinished`
 */
export function requireNoUnfinishedRestore(dataDir: string): void {
  if (!existsSync(unfinishedMark(dataDir))) return
  const why = `a restore into ${dataDir} was cut off while it replaced a store that could not be opened: run the restore again`
  throw new StoreError('restore_unfinished', why)
}

/** Copies the backup `file` to `store.sqlite` in the folder `staging`. @throws StoreError `copy_failed`, also when it is no store of ours */
export function stageBackup(file: string, staging: string): void {
  const path = join(staging, 'store.sqlite')
  copyDatabase(file, path)
  const schema = ask<{ version: number | null }>(path, 'SELECT max(version) AS version FROM migrations')?.version
  if (!schema) throw new StoreError('copy_failed', `${file} is not a backup of an iac-server`)
}

/** The store epoch of the database in a data directory; 1 when there is none, or it is too broken to say. */
export function epochIn(dataDir: string): number {
  const path = join(dataDir, 'store.sqlite')
  if (!existsSync(path)) return 1
  const row = ask<{ value: string }>(path, "SELECT value FROM meta WHERE key = 'store_epoch'")
  return Number(row?.value ?? 1)
}

/**
 * Moves `store.sqlite` from the folder `staging` (closed) into the data directory, whose lock the caller holds. At every instant
 * either the old or the new database is there, whole. Answers where the old one is kept, undefined when there was none.
 */
export function replaceDatabase(dataDir: string, staging: string, now: number): string | undefined {
  const from = join(staging, 'store.sqlite')
  const path = join(dataDir, 'store.sqlite')
  const kept = join(dataDir, `replaced-${now}.sqlite`)
  if (existsSync(`${from}-wal`)) throw new StoreError('store_failed', `${from} is still open`)
  const isThere = existsSync(path)
  if (isThere) {
    if (!foldWal(path)) setWalAside(dataDir, kept)
    crashPoint('restore.wal_folded')
    linkSync(path, kept)
    sync(dataDir)
    crashPoint('restore.kept')
  }
  renameSync(from, path)
  sync(dataDir)
  crashPoint('restore.replaced')
  rmSync(unfinishedMark(dataDir), { force: true })
  return isThere ? kept : undefined
}

/** The old WAL must never meet the new file. Answers false when the old database cannot be opened any more. */
function foldWal(path: string): boolean {
  try {
    const old = new Database(path)
    try {
      old.pragma('journal_mode = DELETE')
    } finally {
      old.close()
    }
    return !existsSync(`${path}-wal`)
  } catch (err) {
    if (!(err instanceof Database.SqliteError)) throw err
    if (err.code.startsWith('SQLITE_BUSY'))
      throw new StoreError('store_busy', `another process has ${path} open`, { cause: err })
    return false // a broken database is the very reason to restore: its pieces are kept as they are
  }
}

/** From the first rename to the new store's coming nobody may open what is there. */
function setWalAside(dataDir: string, kept: string): void {
  writeFileSync(unfinishedMark(dataDir), '', { mode: 0o600 })
  sync(dataDir)
  const path = join(dataDir, 'store.sqlite')
  for (const suffix of ['-wal', '-shm']) if (existsSync(path + suffix)) renameSync(path + suffix, kept + suffix)
  crashPoint('restore.wal_set_aside')
}

function unfinishedMark(dataDir: string): string {
  return join(dataDir, 'restore-unfinished')
}

/** The first row; undefined when there is none, or the file is no such database. */
function ask<T>(path: string, sql: string): T | undefined {
  try {
    const handle = new Database(path, { readonly: true })
    try {
      return handle.prepare<[], T>(sql).get()
    } finally {
      handle.close()
    }
  } catch (err) {
    // Not the database that was hoped for: there is no such row.
    if (err instanceof Database.SqliteError) return undefined
    throw err
  }
}
