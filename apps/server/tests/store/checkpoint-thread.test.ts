import { randomBytes } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { eventually, temporaryDirectory } from '@iac-agent/testkit'
import Database from 'better-sqlite3'
import { expect, it } from 'vitest'
import { BlobWriter } from '../../src/store/blobs.js'
import { CheckpointThread } from '../../src/store/checkpoint-thread.js'
import { temporaryStore } from './temporary-store.js'

const megabyte = 1024 * 1024

it('brings an upload into the database file though nothing is committed after it', async () => {
  await using opened = await temporaryStore()
  const writer = new BlobWriter(opened.store, () => 0)
  await writer.write(randomBytes(3 * megabyte))
  const path = join(opened.dataDir, 'store.sqlite')
  await eventually('the database file has the bytes', async () => (await stat(path)).size > 2 * megabyte)
})

it('gives its connection back: whoever closes the last one removes the WAL', async () => {
  await using directory = await temporaryDirectory('checkpoint-thread')
  const path = join(directory.path, 'store.sqlite')
  const database = new Database(path)
  database.pragma('journal_mode = WAL')
  database.exec('CREATE TABLE numbers (number)')
  const faults: unknown[] = []
  const thread = new CheckpointThread(path, (err) => faults.push(err))
  thread.committed()
  await eventually('the table is in the file', async () => (await stat(path)).size > 4096)
  await thread[Symbol.asyncDispose]()
  database.close()
  await expect(stat(`${path}-wal`)).rejects.toMatchObject({ code: 'ENOENT' })
  expect(faults).toEqual([])
})

it('says once that its thread failed', async () => {
  await using directory = await temporaryDirectory('checkpoint-thread')
  const faults: unknown[] = []
  await using thread = new CheckpointThread(join(directory.path, 'none.sqlite'), (err) => faults.push(err))
  thread.committed()
  await eventually('the fault is told', () => faults.length > 0)
  thread.committed()
  expect(faults).toHaveLength(1)
  expect(faults[0]).toMatchObject({ code: 'SQLITE_CANTOPEN' })
})
