import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { silentLogger } from '@iac-agent/runtime'
import { type TemporaryDirectory, temporaryDirectory } from '@iac-agent/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Ballast, withBallast } from './ballast.js'

const MiB = 1024 * 1024
let home: TemporaryDirectory
let freeBytes: number
let ballast: Ballast

const open = (floorBytes = 24 * MiB) =>
  Ballast.open({
    path: join(home.path, 'ballast'),
    freeBytes: () => freeBytes,
    floorBytes,
    log: silentLogger(),
  })

beforeEach(async () => {
  home = await temporaryDirectory('ballast')
  freeBytes = 100 * MiB
  ballast = await open()
})
afterEach(async () => await home[Symbol.asyncDispose]())

describe('the ballast', () => {
  it('is taken while there is plenty, and stays while the disk only gets low', async () => {
    await ballast.refill()
    freeBytes = 11 * MiB
    await ballast.refill()
    expect([await readdir(home.path), ballast.isLow, ballast.hasRoomForText]).toEqual([['ballast'], true, true])
  })

  it('is given back once, and then what is free is not for text, in a new process neither', async () => {
    await ballast.refill()
    freeBytes = 0
    expect([await ballast.giveBack(), await readdir(home.path), await ballast.giveBack()]).toEqual([true, [], false])
    freeBytes = 8 * MiB
    expect([ballast.hasRoomForText, (await open()).hasRoomForText]).toEqual([false, false])
    freeBytes = 100 * MiB
    expect(ballast.hasRoomForText).toBe(true)
    await ballast.refill()
    expect(await readdir(home.path)).toEqual(['ballast'])
  })

  it('once given back leaves a disk that is low, also without a floor', async () => {
    ballast = await open(0)
    await ballast.refill()
    freeBytes = 0
    await ballast.giveBack()
    freeBytes = 8 * MiB
    expect(ballast.isLow).toBe(true)
    freeBytes = 100 * MiB
    expect(ballast.isLow).toBe(false)
  })

  it('is spent on what finds no room, which is then done again', async () => {
    await ballast.refill()
    const full = Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
    let tries = 0
    const write = async () => {
      tries += 1
      if ((await readdir(home.path)).length > 0) throw full
      return 'written'
    }
    expect([await withBallast(ballast, write), tries]).toEqual(['written', 2])
    await expect(withBallast(ballast, () => Promise.reject(full))).rejects.toBe(full)
    await expect(withBallast(ballast, () => Promise.reject(new Error('else')))).rejects.toThrow('else')
  })
})
