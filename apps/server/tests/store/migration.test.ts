import { mkdirSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect, it } from 'vitest'
import { openSqliteStore } from '../../src/store/sqlite.js'
import { temporaryDataDir } from './temporary-store.js'

const now = () => 1_700_000_000_000
const backupName = 'before-schema-11-1700000000000.sqlite'

/** A store as the server before schema 11 left it, with one pool. */
async function olderStore(dataDir: string): Promise<void> {
  await (await openSqliteStore({ dataDir }))[Symbol.asyncDispose]()
  const handle = new Database(join(dataDir, 'store.sqlite'))
  handle.exec("INSERT INTO pools VALUES ('p1', 'blue', 0)")
  handle.exec('ALTER TABLE task_logs DROP COLUMN is_packed')
  handle.exec('DELETE FROM migrations WHERE version = 11')
  handle.close()
}

function look(path: string): { schema: unknown; pools: unknown } {
  const handle = new Database(path, { readonly: true })
  try {
    const schema = handle.prepare('SELECT max(version) FROM migrations').pluck().get()
    return { schema, pools: handle.prepare('SELECT name FROM pools').pluck().all() }
  } finally {
    handle.close()
  }
}

it('takes a backup before it changes a schema that is there', async () => {
  await using dir = await temporaryDataDir()
  await olderStore(dir.path)
  await using _store = await openSqliteStore({ dataDir: dir.path, now })
  expect(look(join(dir.path, 'store.sqlite'))).toEqual({ schema: 11, pools: ['blue'] })
  expect(look(join(dir.path, backupName))).toEqual({ schema: 10, pools: ['blue'] })
  expect(statSync(join(dir.path, backupName)).mode & 0o777).toBe(0o600)
})

it('changes nothing when the backup cannot be written', async () => {
  await using dir = await temporaryDataDir()
  await olderStore(dir.path)
  mkdirSync(join(dir.path, backupName))
  await expect(openSqliteStore({ dataDir: dir.path, now })).rejects.toMatchObject({ code: 'copy_failed' })
  expect(look(join(dir.path, 'store.sqlite'))).toEqual({ schema: 10, pools: ['blue'] })
})

it('takes none of a new store, and none of one that is up to date', async () => {
  await using dir = await temporaryDataDir()
  for (let start = 0; start < 2; start++) {
    await (await openSqliteStore({ dataDir: dir.path, now }))[Symbol.asyncDispose]()
  }
  expect(readdirSync(dir.path)).toEqual(['store.sqlite'])
})
