import { statSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { sql } from 'kysely'
import { expect, it } from 'vitest'
import { openSqliteStore } from '../../src/store/sqlite.js'
import type { Change, Store, Tx } from '../../src/store/store.js'
import { isUniqueViolation } from '../../src/store/store-error.js'
import { temporaryDataDir, temporaryStore } from './temporary-store.js'

const setMeta = (key: string, value: string) => (tx: Tx) =>
  tx.db.insertInto('meta').values({ key, value }).executeTakeFirstOrThrow()
const metaKeys = async (store: Store) =>
  (await store.read((r) => r.db.selectFrom('meta').select('key').orderBy('key').execute())).map((row) => row.key)

it('answers what a body answers, and the next read sees what it wrote', async () => {
  await using opened = await temporaryStore()
  const answer = await opened.store.transaction('create_token', async (tx) => {
    await setMeta('a', '1')(tx)
    return 42
  })
  expect(answer).toBe(42)
  expect(await metaKeys(opened.store)).toEqual(['a'])
})

it.each([1, 2, 3])('rolls back a body that throws and no other of its batch: number %i', async (bad) => {
  await using opened = await temporaryStore()
  const { store } = opened
  const bodies = [1, 2, 3].map((n) =>
    store.transaction('create_token', async (tx) => {
      await setMeta(`key-${n}`, 'x')(tx)
      if (n === bad) throw new Error('this one fails')
    }),
  )
  const results = await Promise.allSettled(bodies)
  const good = [1, 2, 3].filter((n) => n !== bad)
  expect(results.map((result) => result.status)).toEqual([1, 2, 3].map((n) => (n === bad ? 'rejected' : 'fulfilled')))
  expect(await metaKeys(store)).toEqual(good.map((n) => `key-${n}`))
})

it('syncs every commit but those of parts of an upload, which what points at them syncs', async () => {
  await using opened = await temporaryStore()
  const { store } = opened
  const full = 2
  const synced = async (tx: Tx) => tx.hot.one<{ synchronous: number }>('PRAGMA synchronous')?.synchronous === full
  expect(await store.transaction('save_state', synced)).toBe(true)
  expect(await store.transaction('store_blob_part', synced)).toBe(false)
  const later: Promise<boolean>[] = []
  const part = store.transaction('store_blob_part', async (tx) => {
    later.push(store.transaction('store_blob_part', synced), store.transaction('save_state', synced))
    return synced(tx)
  })
  expect(await part).toBe(false)
  expect(await Promise.all(later)).toEqual([false, true])
  const mixed = (['store_blob_part', 'heartbeat', 'store_blob_part'] as const).map((name) =>
    store.transaction(name, synced),
  )
  expect(await Promise.all(mixed)).toEqual([true, true, true])
})

it('commits bodies that wait together at once', async () => {
  await using opened = await temporaryStore()
  const { store } = opened
  let told = 0
  const batches: number[] = []
  store.changes.subscribe((changes) => {
    told += changes.length
    batches.push(changes.length)
  })
  await Promise.all(
    Array.from({ length: 50 }, (_, n) =>
      store.transaction('create_token', async (tx) => {
        await setMeta(`key-${n}`, 'x')(tx)
        tx.changed({ kind: 'task', taskId: n })
      }),
    ),
  )
  expect(told).toBe(50)
  expect(batches).toEqual([50])
})

it('tells changes after the commit, once each, and never those of a body that failed', async () => {
  await using opened = await temporaryStore()
  const { store } = opened
  const heard: Change[] = []
  const seenAtTelling: Promise<string[]>[] = []
  const unsubscribe = store.changes.subscribe((changes) => {
    heard.push(...changes)
    seenAtTelling.push(metaKeys(store))
  })
  const failing = store.transaction('create_token', async (tx) => {
    tx.changed({ kind: 'task', taskId: 9 })
    throw new Error('no')
  })
  await expect(failing).rejects.toThrow('no')
  await store.transaction('create_token', async (tx) => {
    await setMeta('a', '1')(tx)
    tx.changed({ kind: 'task', taskId: 1 })
    tx.changed({ kind: 'task', taskId: 1 })
  })
  unsubscribe()
  await store.transaction('create_token', async (tx) => tx.changed({ kind: 'task', taskId: 2 }))
  expect(heard).toEqual([{ kind: 'task', taskId: 1 }])
  expect(await Promise.all(seenAtTelling)).toEqual([['a']])
})

it('runs a lone read at once, before a commit that is queued, and those that come with it one after the other', async () => {
  await using opened = await temporaryStore()
  const { store } = opened
  const seen: string[] = []
  const read = async (name: string) => {
    await store.read(async () => seen.push(`read ${name}`))
    seen.push(`answer ${name}`)
  }
  const written = store.transaction('create_token', setMeta('a', 'x')).then(() => seen.push('commit'))
  await Promise.all([written, read('one'), read('two'), read('three')])
  expect(seen.slice(0, 2)).toEqual(['read one', 'answer one'])
  const later = seen.slice(2).filter((what) => what !== 'commit')
  expect(later).toEqual(['read two', 'answer two', 'read three', 'answer three'])
})

it('fails a read that throws alone, also among others', async () => {
  await using opened = await temporaryStore()
  const { store } = opened
  const bodies = [1, 2, 3].map((n) =>
    store.read(async () => {
      if (n === 2) throw new Error('this one fails')
      return n
    }),
  )
  const [first, second, third] = await Promise.allSettled(bodies)
  expect([first, third]).toEqual([1, 3].map((value) => ({ status: 'fulfilled', value })))
  expect(second).toMatchObject({ status: 'rejected', reason: { message: 'this one fails' } })
})

it('shows a read one snapshot, whatever is committed meanwhile', async () => {
  await using opened = await temporaryStore()
  const { store } = opened
  const seen = await store.read(async ({ db }) => {
    const count = async () => (await db.selectFrom('meta').select('key').execute()).length
    const before = await count()
    await store.transaction('create_token', setMeta('meanwhile', 'x'))
    return [before, await count()]
  })
  expect(seen).toEqual([0, 0])
  expect(await metaKeys(store)).toEqual(['meanwhile'])
})

it('says when the database is full, loses nothing that was answered, and goes on when there is room', async () => {
  await using opened = await temporaryStore()
  const { store } = opened
  const limitPages = (pages: number) =>
    store.transaction('create_token', (tx) => sql`PRAGMA max_page_count = ${sql.lit(pages)}`.execute(tx.db))
  await limitPages(1) // no fewer than there are
  const small = Array.from({ length: 3 }, (_, n) => store.transaction('create_token', setMeta(`small-${n}`, 'x')))
  const large = store.transaction('create_token', setMeta('large', 'x'.repeat(1_000_000)))
  await expect(large).rejects.toMatchObject({ code: 'store_full' })
  expect((await Promise.allSettled(small)).map((result) => result.status)).toEqual([
    'fulfilled',
    'fulfilled',
    'fulfilled',
  ])
  await limitPages(1_000_000)
  await store.transaction('create_token', setMeta('large', 'x'.repeat(1_000_000)))
  expect(await metaKeys(store)).toEqual(['large', 'small-0', 'small-1', 'small-2'])
})

it('refuses a tx used after its body', async () => {
  await using opened = await temporaryStore()
  const { store } = opened
  let kept: Tx | undefined
  await store.transaction('create_token', async (tx) => {
    kept = tx
  })
  await expect(setMeta('late', 'x')(kept as Tx)).rejects.toMatchObject({ code: 'store_closed' })
  expect(await metaKeys(store)).toEqual([])
})

it('names a taken key as a unique violation', async () => {
  await using opened = await temporaryStore()
  await opened.store.transaction('create_token', setMeta('a', '1'))
  const again = opened.store.transaction('create_token', setMeta('a', '2'))
  await expect(again).rejects.toSatisfy(isUniqueViolation)
})

it('keeps what was committed when it is closed and opened again', async () => {
  await using dir = await temporaryDataDir()
  for (const key of ['first', 'second']) {
    await using store = await openSqliteStore({ dataDir: dir.path })
    await store.transaction('create_token', setMeta(key, 'x'))
  }
  await using store = await openSqliteStore({ dataDir: dir.path })
  expect(await metaKeys(store)).toEqual(['first', 'second'])
})

it('finishes queued bodies before it closes, and refuses later ones', async () => {
  await using dir = await temporaryDataDir()
  const store = await openSqliteStore({ dataDir: dir.path })
  const queued = store.transaction('create_token', setMeta('queued', 'x'))
  await store[Symbol.asyncDispose]()
  await expect(queued).resolves.toBeDefined()
  await expect(store.transaction('create_token', setMeta('late', 'x'))).rejects.toMatchObject({ code: 'store_closed' })
  await expect(store.read(async () => 1)).rejects.toMatchObject({ code: 'store_closed' })
})

it('refuses a database that a newer server has written', async () => {
  await using dir = await temporaryDataDir()
  await (await openSqliteStore({ dataDir: dir.path }))[Symbol.asyncDispose]()
  const handle = new Database(join(dir.path, 'store.sqlite'))
  handle.prepare('INSERT INTO migrations VALUES (999, ?, 0)').run('from the future')
  handle.close()
  await expect(openSqliteStore({ dataDir: dir.path })).rejects.toMatchObject({
    code: 'store_newer',
    message: expect.stringContaining('999'),
  })
})

it('keeps its files for their owner alone', async () => {
  await using dir = await temporaryDataDir()
  const dataDir = join(dir.path, 'data')
  await using store = await openSqliteStore({ dataDir })
  await store.transaction('create_token', setMeta('a', '1'))
  const mode = (path: string) => statSync(path).mode & 0o777
  expect(mode(dataDir)).toBe(0o700)
  expect(['', '-wal', '-shm'].map((suffix) => mode(join(dataDir, `store.sqlite${suffix}`)))).toEqual([
    0o600, 0o600, 0o600,
  ])
})

it('lets an admin process write beside a running server', async () => {
  await using dir = await temporaryDataDir()
  await using server = await openSqliteStore({ dataDir: dir.path })
  await using admin = await openSqliteStore({ dataDir: dir.path })
  await Promise.all([
    server.transaction('create_token', setMeta('server', 'x')),
    admin.transaction('create_token', setMeta('admin', 'x')),
  ])
  expect(await metaKeys(server)).toEqual(['admin', 'server'])
})

it('refuses a data directory that is no directory, naming it', async () => {
  await using dir = await temporaryDataDir()
  const store = await openSqliteStore({ dataDir: dir.path })
  await store[Symbol.asyncDispose]()
  const dataDir = join(dir.path, 'store.sqlite')
  await expect(openSqliteStore({ dataDir })).rejects.toMatchObject({
    code: 'data_dir_unusable',
    message: expect.stringContaining(dataDir),
  })
})
