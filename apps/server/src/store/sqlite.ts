/** The store on one SQLite file: WAL, synchronous=FULL, one write handle with its queue, one read-only handle. */
import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '@iac-agent/runtime'
import Database from 'better-sqlite3'
import { ChangeHub } from './change-hub.js'
import { CheckpointThread } from './checkpoint-thread.js'
import { prepareDataDir, unusable } from './data-lock.js'
import { copyDatabase } from './database-copy.js'
import { migrate } from './migrate.js'
import { ReadQueue } from './read-queue.js'
import { requireNoUnfinishedRestore } from './restore-database.js'
import type { Store } from './store.js'
import { StoreError, translateStoreError } from './store-error.js'
import { WriteQueue } from './write-queue.js'

/** Another process (an admin subcommand) writes for milliseconds; longer than this is a fault. */
const busyTimeoutMs = 5_000

/** SQLite's own default: with so many pages in the WAL a commit does a checkpoint. */
const checkpointPages = 1000
/** While a thread does them: 64 MiB, where the WAL grows faster than the thread empties it. */
const mostPages = 16_384

export interface SqliteOptions {
  /** made with mode 0700 when absent; the database is `store.sqlite` in it */
  readonly dataDir: string
  /** epoch ms; stamps migrations */
  readonly now?: () => number
  /** hears what a subscriber of `changes` threw; default: thrown again on the next tick */
  readonly onListenerError?: (err: unknown) => void
  /** hears once that checkpoints fail on their thread, and are done by commits from now on; default: nobody */
  readonly onCheckpointFault?: (err: unknown) => void
}

/**
 * Opens the store in `dataDir` and brings its schema up to date. Does not take the data directory's lock (data-lock.ts): admin
 * subcommands open it beside a running server. Throws StoreError: `data_dir_unusable`, `store_newer`, `restore_unfinished`, `store_failed`.
 */
export async function openSqliteStore(options: SqliteOptions): Promise<Store> {
  prepareDataDir(options.dataDir)
  requireNoUnfinishedRestore(options.dataDir)
  const path = join(options.dataDir, 'store.sqlite')
  const writer = openWriter(options.dataDir, path, (options.now ?? systemClock.now)())
  const reader = new Database(path, { readonly: true, timeout: busyTimeoutMs })
  reader.pragma('cache_size = -4096')
  const hub = new ChangeHub(options.onListenerError ?? throwLater)
  writer.pragma(`wal_autocheckpoint = ${mostPages}`)
  const checkpoints = new CheckpointThread(path, (err) => {
    writer.pragma(`wal_autocheckpoint = ${checkpointPages}`)
    options.onCheckpointFault?.(err)
  })
  const writes = new WriteQueue(writer, checkpoints, (changes) => hub.tell(changes))
  const reads = new ReadQueue(reader)
  return {
    read: (body) => reads.add(body),
    transaction: (name, body, patienceMs) => writes.add(name, body, patienceMs),
    changes: hub,
    async [Symbol.asyncDispose]() {
      await writes.close()
      await reads.close()
      await checkpoints[Symbol.asyncDispose]()
      reader.close()
      writer.close()
    },
  }
}

function openWriter(dataDir: string, path: string, now: number): Database.Database {
  const previousMask = process.umask(0o077)
  let handle: Database.Database | undefined
  try {
    handle = new Database(path, { timeout: busyTimeoutMs })
    handle.pragma('journal_mode = WAL')
    handle.pragma('synchronous = FULL')
    handle.pragma('foreign_keys = ON')
    handle.pragma('journal_size_limit = 67108864')
    handle.pragma('cache_size = -8192')
    migrate(handle, now, (version) => copyDatabase(path, join(dataDir, `before-schema-${version + 1}-${now}.sqlite`)))
    for (const suffix of ['', '-wal', '-shm']) chmodSync(path + suffix, 0o600)
    return handle
  } catch (err) {
    handle?.close()
    const translated = translateStoreError(err)
    throw translated instanceof StoreError && translated.code !== 'store_failed' ? translated : unusable(dataDir, err)
  } finally {
    process.umask(previousMask)
  }
}

function throwLater(err: unknown): void {
  queueMicrotask(() => {
    throw err
  })
}
