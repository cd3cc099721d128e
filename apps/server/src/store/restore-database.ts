/** The file work of a restore: a backup is staged beside the store, then moves into its place; the old store is kept. */
import { existsSync, linkSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { copyDatabase, sync } from './database-copy.js'
import { StoreError } from './store-error.js'

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
  const isThere = existsSync(path)
  if (isThere) {
    if (!foldWal(path)) setWalAside(path, kept)
    linkSync(path, kept)
    sync(dataDir)
  }
  if (existsSync(`${from}-wal`)) throw new StoreError('store_failed', `${from} is still open`)
  renameSync(from, path)
  sync(dataDir)
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
    // A broken database is the very reason to restore: its pieces are kept as they are.
    if (err instanceof Database.SqliteError) return false
    throw err
  }
}

function setWalAside(path: string, kept: string): void {
  for (const suffix of ['-wal', '-shm']) if (existsSync(path + suffix)) renameSync(path + suffix, kept + suffix)
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
