/** A consistent copy of a SQLite file, made while others write to it. */
import { randomBytes } from 'node:crypto'
import { closeSync, existsSync, fsyncSync, openSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import Database from 'better-sqlite3'
import { crashPoint } from './crash-points.js'
import { StoreError } from './store-error.js'

/**
 * Writes the database at `from` into the new file `to` (0600), whole or not at all. One read transaction: writers go on.
 * @throws StoreError `copy_failed`, also when `to` exists
 */
export function copyDatabase(from: string, to: string): void {
  const temporary = `${to}.${randomBytes(6).toString('hex')}.tmp`
  const previousMask = process.umask(0o077)
  try {
    if (existsSync(to)) throw new Error('the file exists')
    removeUnfinished(dirname(to), `${basename(to)}.`)
    const source = new Database(from, { readonly: true, fileMustExist: true })
    try {
      source.prepare('VACUUM INTO ?').run(temporary)
    } finally {
      source.close()
    }
    crashPoint('copy.written')
    sync(temporary)
    crashPoint('copy.synced')
    renameSync(temporary, to)
    crashPoint('copy.renamed')
    sync(dirname(to))
  } catch (err) {
    rmSync(temporary, { force: true })
    const why = err instanceof Error ? err.message : String(err)
    throw new StoreError('copy_failed', `${from} could not be copied to ${to}: ${why}`, { cause: err })
  } finally {
    process.umask(previousMask)
  }
}

/** Removes what killed processes left half written in `directory`: temporary files whose names begin with `start`. */
export function removeUnfinished(directory: string, start: string): void {
  const unfinished = /\.[0-9a-f]{12}\.tmp(-journal)?$/
  for (const name of readdirSync(directory)) {
    if (name.startsWith(start) && unfinished.test(name)) rmSync(join(directory, name), { force: true })
  }
}

/** Makes a file, or the names in a folder, durable. */
export function sync(path: string): void {
  const descriptor = openSync(path, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
