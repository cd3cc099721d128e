import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { silentLogger } from '@iac-agent/runtime'
import { type TemporaryDirectory, temporaryDirectory } from '@iac-agent/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ResourceGuard, shortageOf } from './resource-guard.js'

const MiB = 1024 * 1024
const floors = { diskBytes: 256 * MiB, memoryBytes: 64 * MiB }

it('names what is short, how much there is and how much there must be', () => {
  expect(shortageOf({ diskBytes: 256 * MiB, memoryBytes: 64 * MiB }, floors)).toBeUndefined()
  expect(shortageOf({ diskBytes: 255 * MiB, memoryBytes: 64 * MiB }, floors)).toEqual({
    resource: 'disk',
    free_bytes: 255 * MiB,
    floor_bytes: 256 * MiB,
  })
  expect(shortageOf({ diskBytes: 256 * MiB, memoryBytes: 0 }, floors)).toEqual({
    resource: 'memory',
    free_bytes: 0,
    floor_bytes: 64 * MiB,
  })
  expect(shortageOf({ diskBytes: 0, memoryBytes: 0 }, { diskBytes: 0, memoryBytes: 0 })).toBeUndefined()
})

describe('a disk that fills up', () => {
  let home: TemporaryDirectory
  let diskBytes: number
  let told: number
  let guard: ResourceGuard
  beforeEach(async () => {
    home = await temporaryDirectory('guard')
    diskBytes = 1024 * MiB
    told = 0
    guard = new ResourceGuard({
      floors,
      measure: () => ({ diskBytes, memoryBytes: 1024 * MiB }),
      ballast: join(home.path, 'ballast'),
      onDiskLow: async () => {
        told++
      },
      log: silentLogger(),
    })
  })
  afterEach(async () => await home[Symbol.asyncDispose]())

  it('gives the ballast back below half the floor and says so, and has it again when there is room', async () => {
    await guard.look()
    expect(await readdir(home.path)).toEqual(['ballast'])
    diskBytes = 200 * MiB
    await guard.look()
    expect(guard.shortage).toMatchObject({ resource: 'disk', free_bytes: 200 * MiB })
    expect([await readdir(home.path), told]).toEqual([['ballast'], 0])
    diskBytes = 127 * MiB
    await guard.look()
    expect([await readdir(home.path), told]).toEqual([[], 1])
    diskBytes = 1024 * MiB
    await guard.look()
    expect(guard.shortage).toBeUndefined()
    expect([await readdir(home.path), told]).toEqual([['ballast'], 1])
  })
})
