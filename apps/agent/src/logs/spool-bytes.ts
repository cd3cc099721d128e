/** Reads a spool's durable bytes. */
import { createHash } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'

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

/** Somebody else shortened the spool under us. */
class SpoolTruncated extends Error {
  readonly code = 'spool_truncated'
  constructor(offset: number, expectedBytes: number) {
    super(`the spool ends at byte ${offset} although ${expectedBytes} bytes were written to it`)
    this.name = 'SpoolTruncated'
  }
}
