/** Reads a spool's durable bytes. */
import { createHash } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import { crc32 } from 'node:zlib'

const readBytes = 256 * 1024

/** The first `durableBytes` of the file from `offset`, at most as many as `into` holds (a view of it); empty at the end. */
export async function readSpool(file: FileHandle, durableBytes: number, offset: number, into: Buffer): Promise<Buffer> {
  const wanted = Math.max(0, Math.min(into.length, durableBytes - offset))
  const bytes = into.subarray(0, wanted)
  let have = 0
  while (have < wanted) {
    const { bytesRead } = await file.read(bytes, have, wanted - have, offset + have)
    if (bytesRead === 0) throw new SpoolTruncated(offset + have, durableBytes)
    have += bytesRead
  }
  return bytes
}

/** Hex SHA-256 of the first `durableBytes`. */
export async function hashSpool(file: FileHandle, durableBytes: number): Promise<string> {
  const hash = createHash('sha256')
  const buffer = Buffer.allocUnsafe(Math.min(readBytes, durableBytes))
  for (let offset = 0; offset < durableBytes; offset += readBytes) {
    hash.update(await readSpool(file, durableBytes, offset, buffer))
  }
  return hash.digest('hex')
}

/** CRC-32 of the file's bytes in [from, to). */
export async function crc32Of(file: FileHandle, from: number, to: number): Promise<number> {
  const buffer = Buffer.allocUnsafeSlow(Math.min(readBytes, to - from))
  let sum = 0
  for (let at = from; at < to; at += buffer.length) sum = crc32(await readSpool(file, to, at, buffer), sum)
  return sum
}

/** Somebody else shortened the spool under us. */
class SpoolTruncated extends Error {
  readonly code = 'spool_truncated'
  constructor(offset: number, expectedBytes: number) {
    super(`the spool ends at byte ${offset} although ${expectedBytes} bytes were written to it`)
    this.name = 'SpoolTruncated'
  }
}
