import { silentLogger } from '@iac-agent/runtime'
import { expect, it } from 'vitest'
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

it('marks what may lose lines while the disk is low, and else sees to the ballast', async () => {
  const calls: string[] = []
  const ballast = { isLow: false, refill: async () => void calls.push('refill') }
  const guard = new ResourceGuard({
    floors,
    measure: () => ({ diskBytes: 200 * MiB, memoryBytes: 1024 * MiB }),
    ballast,
    onDiskLow: async () => void calls.push('low'),
    log: silentLogger(),
  })
  expect(guard.shortage).toMatchObject({ resource: 'disk', free_bytes: 200 * MiB })
  await guard.look()
  ballast.isLow = true
  await guard.look()
  expect(calls).toEqual(['refill', 'low'])
})
