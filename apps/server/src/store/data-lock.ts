/**
 * One server per data directory. The lock is the kernel's (an exclusive lock on `server.lock`), so it ends with its
 * process however that dies; `server.pid` beside it only names the holder.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { StoreError } from './store-error.js'

export class DataDirInUse extends StoreError {
  constructor(
    readonly dataDir: string,
    readonly pid: number | undefined,
  ) {
    super(
      'data_dir_in_use',
      `data directory ${dataDir} is in use by ${pid === undefined ? 'another server' : `process ${pid}`}`,
    )
  }
}

/** Takes the data directory for this process, until disposed. Throws DataDirInUse, or `data_dir_unusable`. */
export function lockDataDir(dataDir: string): AsyncDisposable {
  prepareDataDir(dataDir)
  const pidFile = join(dataDir, 'server.pid')
  const lock = openLock(dataDir, pidFile)
  writeFileSync(pidFile, `${process.pid}\n`, { mode: 0o600 })
  return {
    async [Symbol.asyncDispose]() {
      lock.close()
    },
  }
}

/** Makes the data directory, readable by its owner alone. Throws `data_dir_unusable` naming it. */
export function prepareDataDir(dataDir: string): void {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  } catch (err) {
    throw unusable(dataDir, err)
  }
}

/** A `data_dir_unusable` that says why. */
export function unusable(dataDir: string, cause: unknown): StoreError {
  const why = cause instanceof Error ? cause.message : String(cause)
  return new StoreError('data_dir_unusable', `data directory ${dataDir} cannot be used: ${why}`, { cause })
}

function openLock(dataDir: string, pidFile: string): Database.Database {
  let lock: Database.Database | undefined
  try {
    lock = new Database(join(dataDir, 'server.lock'), { timeout: 0 })
    lock.exec('BEGIN EXCLUSIVE')
    return lock
  } catch (err) {
    lock?.close()
    if (err instanceof Database.SqliteError && err.code.startsWith('SQLITE_BUSY'))
      throw new DataDirInUse(dataDir, readPid(pidFile))
    throw unusable(dataDir, err)
  }
}

function readPid(pidFile: string): number | undefined {
  try {
    const pid = Number.parseInt(readFileSync(pidFile, 'utf8'), 10)
    return Number.isNaN(pid) ? undefined : pid
  } catch {
    // The holder has not written its number yet: the error names none.
    return undefined
  }
}
