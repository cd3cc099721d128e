import { readdir, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Pool } from '@iac-agent/protocol'
import Database from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import { createPool } from '../../src/domain/auth/pools.js'
import { lockDataDir } from '../../src/store/data-lock.js'
import { openSqliteStore } from '../../src/store/sqlite.js'
import { capturePrinted, json, printed, run } from '../_util/cli.js'
import { TestServer } from '../_util/test-server.js'
import { type TemporaryDataDir, temporaryDataDir } from '../store/temporary-store.js'

capturePrinted()

interface Restored {
  store_epoch: number
  replaced: string | null
}

const clock = { now: () => 1_000, monotonic: () => 0 }

/** Makes pools of these names in the store there. */
async function filled(dir: TemporaryDataDir, ...names: string[]): Promise<void> {
  await using store = await openSqliteStore({ dataDir: dir.path })
  for (const name of names) await createPool({ store, clock }, { name })
}

async function poolsIn(dataDir: string): Promise<string[]> {
  await using store = await openSqliteStore({ dataDir })
  const rows = await store.read(({ db }) => db.selectFrom('pools').select('name').orderBy('name').execute())
  return rows.map(({ name }) => name)
}

describe('a backup', () => {
  it('beside a server that is written to holds all that was acknowledged before it', async () => {
    await using server = await TestServer.start()
    await using elsewhere = await temporaryDataDir()
    const file = join(elsewhere.path, 'b.sqlite')
    let isOver = false
    const acknowledged: string[] = []
    const writing = Array.from({ length: 4 }, async (_, writer) => {
      for (let number = 0; !isOver; number++) {
        const { name } = await server.ok<Pool>('POST', '/api/v1/pools', { body: { name: `p${writer}-${number}` } })
        acknowledged.push(name)
      }
    })
    while (acknowledged.length < 50) await server.ok('GET', '/livez')
    const before = [...acknowledged]
    const answer = await json('backup', file, '--data-dir', server.dataDir)
    isOver = true
    await Promise.all(writing)
    const { size, mode } = await stat(file)
    expect(answer).toEqual({ file, size_bytes: size })
    expect(mode & 0o777).toBe(0o600)
    expect(await readdir(elsewhere.path)).toEqual(['b.sqlite'])
    await json('restore', file, '--data-dir', join(elsewhere.path, 'data'))
    const restored = await poolsIn(join(elsewhere.path, 'data'))
    expect(before.filter((name) => !restored.includes(name))).toEqual([])
  })

  it('is not written over a file that exists', async () => {
    await using dir = await temporaryDataDir()
    await filled(dir, 'blue')
    for (const file of [join(dir.path, 'store.sqlite'), join(dir.path, 'other')]) {
      await writeFile(join(dir.path, 'other'), 'mine')
      expect(await run('backup', file, '--data-dir', dir.path)).toBe(2)
      expect(printed.err).toContain('the file exists')
    }
    expect(await poolsIn(dir.path)).toEqual(['blue'])
  })

  it('names the folder that is not there, and the store that is not there', async () => {
    await using dir = await temporaryDataDir()
    await filled(dir, 'blue')
    expect(await run('backup', join(dir.path, 'none', 'b'), '--data-dir', dir.path)).toBe(2)
    expect(printed.err).toContain(join(dir.path, 'none', 'b'))
    expect(await run('backup', join(dir.path, 'b'), '--data-dir', join(dir.path, 'empty'))).toBe(2)
    expect(printed.err).toContain(join(dir.path, 'empty', 'store.sqlite'))
  })
})

describe('a restore', () => {
  it('brings back what the backup had, raises the store epoch each time, and keeps the old store', async () => {
    await using dir = await temporaryDataDir()
    await using elsewhere = await temporaryDataDir()
    const file = join(elsewhere.path, 'b.sqlite')
    await filled(dir, 'blue')
    await json('backup', file, '--data-dir', dir.path)
    await filled(dir, 'green')
    const first = await json<Restored>('restore', file, '--data-dir', dir.path)
    expect(first).toMatchObject({ file, store_epoch: 2, unreachable_applies: 0, unconfirmed_plans: 0 })
    expect(await poolsIn(dir.path)).toEqual(['blue'])
    const old = new Database(first.replaced ?? '', { readonly: true })
    expect(old.prepare('SELECT name FROM pools ORDER BY name').pluck().all()).toEqual(['blue', 'green'])
    old.close()
    expect(await json('restore', file, '--data-dir', dir.path)).toMatchObject({ store_epoch: 3 })
    expect((await readdir(dir.path)).filter((name) => /restoring|tmp|-wal$/.test(name))).toEqual([])
  })

  it('is refused while a server runs, and names its pid', async () => {
    await using dir = await temporaryDataDir()
    await filled(dir, 'blue')
    await json('backup', join(dir.path, 'b'), '--data-dir', dir.path)
    await using _lock = lockDataDir(dir.path)
    expect(await run('restore', join(dir.path, 'b'), '--data-dir', dir.path)).toBe(5)
    expect(printed.err).toContain(`in use by process ${process.pid}`)
  })

  it('of what is no backup, or from a newer server, leaves the store as it is', async () => {
    await using dir = await temporaryDataDir()
    await filled(dir, 'blue')
    const other = join(dir.path, 'other')
    new Database(other).exec('CREATE TABLE t (a)').close()
    const newer = join(dir.path, 'newer')
    await json('backup', newer, '--data-dir', dir.path)
    new Database(newer).exec("INSERT INTO migrations VALUES (999, 'x', 0)").close()
    await writeFile(join(dir.path, 'text'), 'no database at all, only some text that is long enough')
    for (const [file, sentence] of [
      [other, 'is not a backup of an iac-server'],
      [newer, 'the database has schema 999'],
      [join(dir.path, 'text'), 'file is not a database'],
      [join(dir.path, 'none'), 'could not be copied'],
    ] as const) {
      expect(await run('restore', file, '--data-dir', dir.path), file).toBe(2)
      expect(printed.err).toContain(sentence)
      expect(await poolsIn(dir.path)).toEqual(['blue'])
    }
    expect((await readdir(dir.path)).filter((name) => name.startsWith('restoring'))).toEqual([])
  })

  it('goes over a store that is broken, and over one whose server was killed', async () => {
    await using dir = await temporaryDataDir()
    await using elsewhere = await temporaryDataDir()
    const file = join(elsewhere.path, 'b.sqlite')
    await filled(dir, 'blue')
    await json('backup', file, '--data-dir', dir.path)
    for (const broken of ['store.sqlite', 'store.sqlite-wal']) {
      await writeFile(join(dir.path, broken), Buffer.alloc(100_000, 'x'))
      expect(await json<Restored>('restore', file, '--data-dir', dir.path)).toMatchObject({ file })
      expect(await poolsIn(dir.path)).toEqual(['blue'])
    }
    await rm(join(dir.path, 'store.sqlite'))
    expect(await json('restore', file, '--data-dir', dir.path)).toMatchObject({ replaced: null })
    expect(await poolsIn(dir.path)).toEqual(['blue'])
  })
})
