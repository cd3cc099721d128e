import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { silentLogger } from '@iac-agent/runtime'
import { temporaryDirectory } from '@iac-agent/testkit'
import { expect, it } from 'vitest'
import { Ballast, noBallast } from '../journal/ballast.js'
import { whenThereIsRoom } from './room-to-start.js'

const full = () => Promise.reject(Object.assign(new Error('no space left on device'), { code: 'ENOSPC' }))

it('gives the ballast back to a start on a full disk, then waits for room', async () => {
  await using home = await temporaryDirectory('room')
  const [path, log] = [join(home.path, 'ballast'), silentLogger()]
  await writeFile(path, 'x')
  const parts = { ballast: await Ballast.open({ path, freeBytes: () => 0, floorBytes: 0, log }), log, pauseMs: 1 }
  const seen: string[][] = []
  const answer = await whenThereIsRoom(parts, async () => {
    seen.push(await readdir(home.path))
    return seen.length < 4 ? await full() : 'started'
  })
  expect([answer, seen]).toEqual(['started', [['ballast'], [], [], []]])
})

it('passes any other fault on', async () => {
  const parts = { ballast: noBallast, log: silentLogger(), pauseMs: 1 }
  await expect(whenThereIsRoom(parts, () => Promise.reject(new Error('broken')))).rejects.toThrow('broken')
})
