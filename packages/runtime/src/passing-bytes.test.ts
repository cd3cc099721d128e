import { expect, it } from 'vitest'
import { defineLook, passingBytes } from './passing-bytes.js'

const few = 0
const many = 1e9

const sums = defineLook<{ names: readonly string[]; sum: number; bytes: number }>(() => (names) => {
  let [sum, bytes] = [0, 0]
  return {
    push(piece) {
      if (names.includes('faulty')) throw new Error('it broke')
      for (const byte of piece) sum += byte
      bytes += piece.length
    },
    finding: () => ({ names, sum, bytes }),
  }
})

it.each([[[]], [[1]], [[3, 1_500_000, 5_000_000, 7]]])('finds the same here and on a thread: %j', async (sizes) => {
  for (const expectedBytes of [few, many]) {
    await using passing = passingBytes(sums, ['a'], expectedBytes)
    const reused = Buffer.alloc(5_000_000)
    for (const size of sizes) await passing.push(reused.fill(size % 250, 0, size).subarray(0, size))
    const bytes = sizes.reduce((all, size) => all + size, 0)
    const sum = sizes.reduce((all, size) => all + size * (size % 250), 0)
    expect(await passing.finding()).toEqual({ names: ['a'], sum, bytes })
  }
})

it('throws when its thread dies, also to whoever waits for room', async () => {
  await using passing = passingBytes(sums, ['faulty'], many)
  await expect(passing.push(Buffer.alloc(20_000_000))).rejects.toThrow('it broke')
})

it('ends its thread also when nothing was asked', async () => {
  await using passing = passingBytes(sums, [], many)
  await passing.push(Buffer.alloc(3_000_000))
})
