import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { lockDataDir } from '../../src/store/data-lock.js'
import { temporaryDataDir } from './temporary-store.js'

it('refuses a data directory in use and names the process', async () => {
  await using dir = await temporaryDataDir()
  await using _held = lockDataDir(dir.path)
  expect(() => lockDataDir(dir.path)).toThrow(
    expect.objectContaining({
      code: 'data_dir_in_use',
      pid: process.pid,
      message: `data directory ${dir.path} is in use by process ${process.pid}`,
    }),
  )
})

it('gives the data directory to the next once it is let go', async () => {
  await using dir = await temporaryDataDir()
  await lockDataDir(dir.path)[Symbol.asyncDispose]()
  await lockDataDir(dir.path)[Symbol.asyncDispose]()
})

it('is free again when its holder was killed', async () => {
  await using dir = await temporaryDataDir()
  const holder = spawn(process.execPath, [
    '-e',
    holdLock,
    createRequire(import.meta.url).resolve('better-sqlite3'),
    dir.path,
  ])
  await once(holder.stdout, 'data')
  expect(() => lockDataDir(dir.path)).toThrow(expect.objectContaining({ code: 'data_dir_in_use' }))
  holder.kill('SIGKILL')
  await once(holder, 'exit')
  await using lock = lockDataDir(dir.path)
  expect(lock).toBeDefined()
})

it('names a directory it may not make', async () => {
  await using dir = await temporaryDataDir()
  await lockDataDir(dir.path)[Symbol.asyncDispose]()
  const dataDir = join(dir.path, 'server.pid', 'below-a-file')
  expect(() => lockDataDir(dataDir)).toThrow(
    expect.objectContaining({ code: 'data_dir_unusable', message: expect.stringContaining(dataDir) }),
  )
})

const holdLock = `
const lock = new (require(process.argv[1]))(require('node:path').join(process.argv[2], 'server.lock'))
lock.exec('BEGIN EXCLUSIVE')
console.log('held')
setInterval(() => {}, 1000)
`
