import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { startServer, type TemporaryDirectory, temporaryDirectory } from '@iac-agent/testkit'
import Database from 'better-sqlite3'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { serverCrashPointNames } from './crash-point-names.js'
import { serverBin } from './kill-load.js'

const { fileSteps } = await serverCrashPointNames()
const pointsOf = (start: string) => fileSteps.filter((name) => name.startsWith(start))

const inCopy = pointsOf('copy.')
const inMigration = [...pointsOf('migrate.'), ...inCopy]
const asideOnly = 'restore.wal_set_aside'
const inRestore = [
  ...pointsOf('restore.').filter((point) => point !== asideOnly),
  ...['begin_store_epoch.committing', 'begin_store_epoch.committed'],
  ...inCopy,
]
const inFirstToken = ['create_first_token.committing', 'create_first_token.committed', ...pointsOf('first_token.')]

it('has a test for every step on files', () => {
  expect(new Set([...inMigration, ...inRestore, ...inFirstToken, asideOnly])).toEqual(
    new Set([...fileSteps, ...inRestore, ...inFirstToken]),
  )
})

/** A store with the pools `one` and `two`, and a backup of when it had only the first. */
let template: TemporaryDirectory

beforeAll(async () => {
  template = await temporaryDirectory('template')
  expect(await command(template, ['pool', 'create', 'one'])).toBe(0)
  expect(await command(template, ['backup', backupIn(template)])).toBe(0)
  expect(await command(template, ['pool', 'create', 'two'])).toBe(0)
})
afterAll(() => template[Symbol.asyncDispose]())

describe.concurrent('a command on the store that is killed and said again', () => {
  it.each(inCopy)('a backup, at %s', async (point) => {
    await using home = await copyOfTemplate()
    const file = join(home.path, 'backups', 'b.sqlite')
    await mkdir(join(home.path, 'backups'))
    expect(await command(home, ['backup', file], point)).toBe('SIGKILL')
    if (point === 'copy.renamed') await rm(file) // whole already: the second one would not write over it
    expect(await command(home, ['backup', file])).toBe(0)
    expect(poolsIn(file)).toEqual(['one', 'two'])
    expect(await readdir(join(home.path, 'backups'))).toEqual(['b.sqlite'])
  })

  it.each(inRestore)(
    'a restore, at %s: the store is the old or the new one, whole, then the new one',
    async (point) => {
      await using home = await copyOfTemplate()
      expect(await command(home, ['restore', backupIn(home)], point)).toBe('SIGKILL')
      expect([['one'], ['one', 'two']]).toContainEqual(await servedPools(home))
      expect((await readdir(dataOf(home))).filter((name) => /restoring|\.tmp/.test(name))).toEqual([])
      expect(await command(home, ['restore', backupIn(home)])).toBe(0)
      expect(poolsIn(join(dataOf(home), 'store.sqlite'))).toEqual(['one'])
    },
  )

  it('a restore over a broken store, when its WAL is aside: nobody opens what is left but the next restore', async () => {
    await using home = await copyOfTemplate()
    for (const name of ['store.sqlite', 'store.sqlite-wal'])
      await writeFile(join(dataOf(home), name), 'broken'.repeat(2_000))
    expect(await command(home, ['restore', backupIn(home)], asideOnly)).toBe('SIGKILL')
    const refused = await run(home, ['pool', 'create', 'three'])
    expect(refused.stderr).toContain('run the restore again')
    expect(await command(home, ['restore', backupIn(home)])).toBe(0)
    expect(await servedPools(home)).toEqual(['one'])
  })

  it.each(inMigration)('a migration, at %s: it is made whole by the next start', async (point) => {
    await using home = await olderStore()
    expect(await command(home, ['pool', 'create', 'two'], point)).toBe('SIGKILL')
    expect(await servedPools(home)).toEqual(['one'])
    const backups = (await readdir(dataOf(home))).filter((name) => name.startsWith('before-schema-'))
    expect(backups.filter((name) => name.endsWith('.tmp'))).toEqual([])
    for (const name of backups) expect(poolsIn(join(dataOf(home), name))).toEqual(['one'])
    expect(backups.length).toBeGreaterThan(0)
  })

  it.each(inFirstToken)('a first start, at %s: the token that is kept is good', async (point) => {
    await using home = await temporaryDirectory('first')
    expect(await firstStart(home, point)).toBe('SIGKILL')
    expect(await firstStart(home)).toBe(200)
    expect((await readdir(dataOf(home))).filter((name) => name.endsWith('.tmp'))).toEqual([])
  })
})

function dataOf({ path }: TemporaryDirectory): string {
  return join(path, 'data')
}

function backupIn({ path }: TemporaryDirectory): string {
  return join(path, 'b.sqlite')
}

async function copyOfTemplate(): Promise<TemporaryDirectory> {
  const home = await temporaryDirectory('store')
  await cp(template.path, home.path, { recursive: true })
  return home
}

function run(home: TemporaryDirectory, args: readonly string[], point = '') {
  const argv = [serverBin[1], ...args, '--data-dir', dataOf(home)]
  return execa(serverBin[0], argv, { reject: false, env: { IAC_CRASH_POINT: point } })
}

/** Its exit code, or the signal that ended it. */
async function command(home: TemporaryDirectory, args: readonly string[], point = ''): Promise<number | string> {
  const { exitCode, signal } = await run(home, args, point)
  return signal ?? exitCode ?? -1
}

async function servedPools(home: TemporaryDirectory): Promise<string[]> {
  await using server = await startServer({ home: home.path })
  return (await server.client.pools.list()).items.map(({ name }) => name).sort()
}

function poolsIn(file: string): unknown[] {
  const handle = new Database(file, { readonly: true })
  try {
    return handle.prepare('SELECT name FROM pools ORDER BY name').pluck().all()
  } finally {
    handle.close()
  }
}

/** A store of an older server, with a pool `one`. */
async function olderStore(): Promise<TemporaryDirectory> {
  const home = await temporaryDirectory('older')
  await mkdir(dataOf(home), { mode: 0o700 })
  const handle = new Database(join(dataOf(home), 'store.sqlite'))
  handle.exec(await readFile(join(import.meta.dirname, 'server-points/schema-4.sql'), 'utf8'))
  handle.close()
  return home
}

/** Starts the server without a token of ours; answers how it ended, or what it answers to the token it made. */
async function firstStart(home: TemporaryDirectory, point = ''): Promise<number | string> {
  const argv = [serverBin[1], 'start', '--data-dir', dataOf(home), '--listen', '127.0.0.1:0', '--log-format', 'json']
  const server = execa(serverBin[0], argv, { reject: false, env: { IAC_CRASH_POINT: point } })
  let answered: number | undefined
  for await (const line of server.iterable({ from: 'stderr' })) {
    const { msg, url } = JSON.parse(line) as { msg?: string; url?: string }
    if (msg !== 'ready') continue
    const token = (await readFile(join(dataOf(home), 'operator-token'), 'utf8')).trim()
    answered = (await fetch(`${url}/api/v1/pools`, { headers: { authorization: `Bearer ${token}` } })).status
    server.kill()
  }
  return answered ?? (await server).signal ?? -1
}
