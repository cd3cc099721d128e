import { open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { temporaryDirectory } from '@iac-agent/testkit'
import { expect, it } from 'vitest'
import { streamToFile } from './stream-to-file.js'

async function* pieces(sizes: readonly number[]): AsyncGenerator<Buffer> {
  let at = 0
  for (const size of sizes) {
    yield Buffer.from(Array.from({ length: size }, () => at++ % 251))
  }
}

it.each([[[]], [[1]], [[65_536, 1_048_576, 3]], [Array.from({ length: 40 }, () => 1_000_003)]])(
  'writes what came, in order: %#',
  async (sizes) => {
    await using directory = await temporaryDirectory('stream')
    const path = join(directory.path, 'file')
    await using file = await open(path, 'w')
    const seen: Uint8Array[] = []
    const size = await streamToFile(file, pieces(sizes), async (piece) => void seen.push(piece))
    const written = await readFile(path)
    expect(size).toBe(written.length)
    expect(written.equals(Buffer.concat(seen))).toBe(true)
  },
)

it('throws what the stream or a write throws, and then nothing uses the file any more', async () => {
  await using directory = await temporaryDirectory('stream')
  await using file = await open(join(directory.path, 'file'), 'w')
  const torn = (async function* () {
    yield* pieces([1_048_576, 1_048_576])
    throw new Error('the line was cut')
  })()
  await expect(streamToFile(file, torn, async () => undefined)).rejects.toThrow('the line was cut')
  let writes = 0
  const full = async () => {
    writes++
    throw Object.assign(new Error('no space left'), { code: 'ENOSPC' })
  }
  const body = pieces(Array.from({ length: 30 }, () => 1_048_576))
  await expect(streamToFile(file, body, async () => undefined, full)).rejects.toMatchObject({ code: 'ENOSPC' })
  expect(writes).toBe(1)
})
