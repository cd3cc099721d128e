import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readlink, symlink } from 'node:fs/promises'
import { basename } from 'node:path'
import { type TemporaryDirectory, temporaryDirectory } from '@iac-agent/testkit'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { DataLock, lockHolder } from './data-lock.js'
import { type DataLayout, dataLayout } from './layout.js'
import { formatIdentity, identityOf } from './process-identity.js'

let home: TemporaryDirectory
let data: DataLayout
beforeEach(async () => {
  home = await temporaryDirectory('lock')
  data = dataLayout(home.path)
})
afterEach(async () => await home[Symbol.asyncDispose]())

it('refuses a second owner and names the process that has it', async () => {
  await using _lock = await DataLock.take(data)
  await expect(DataLock.take(data)).rejects.toMatchObject({ code: 'data_directory_in_use', pid: process.pid })
  expect(await lockHolder(data)).toBe(process.pid)
})

it('is free again, and leaves nothing, after it was given back', async () => {
  {
    await using _lock = await DataLock.take(data)
  }
  expect(await readdir(data.root)).toEqual([])
  expect(await lockHolder(data)).toBeUndefined()
  await using _again = await DataLock.take(data)
})

it('takes over from a process that died', async () => {
  const child = spawn('sleep', ['60'])
  const identity = await identityOf(child.pid ?? 0)
  if (!identity) throw new Error('sleep did not start')
  await symlink(formatIdentity(identity), `${data.lock}.4`)
  await expect(DataLock.take(data)).rejects.toMatchObject({ pid: child.pid })
  child.kill('SIGKILL')
  await once(child, 'exit')
  await using lock = await DataLock.take(data)
  expect(await readdir(data.root)).toEqual([basename(lock.path)])
  expect(await readlink(lock.path)).toContain(`${process.pid}:`)
})

it('takes over from an earlier process of the same number, and from an earlier boot', async () => {
  const me = await identityOf(process.pid)
  if (!me) throw new Error('no /proc')
  const earlier = [
    { ...me, start: '1' },
    { ...me, boot: '00000000-0000-0000-0000-000000000000' },
  ]
  for (const stale of earlier) {
    await symlink(formatIdentity(stale), `${data.lock}.1`)
    await using lock = await DataLock.take(data)
    expect(await readdir(data.root)).toEqual([basename(lock.path)])
  }
})

it('lets exactly one of many starters take over, again and again', async () => {
  for (let round = 0; round < 50; round++) {
    await symlink('1:1:00000000-0000-0000-0000-000000000000', `${data.lock}.1`)
    const results = await Promise.allSettled(Array.from({ length: 8 }, () => DataLock.take(data)))
    const locks = results.filter((result) => result.status === 'fulfilled')
    expect(locks).toHaveLength(1)
    for (const { value } of locks) await value[Symbol.asyncDispose]()
  }
})
