/** Sends stored bytes as they are read, with their length and hash. */
import { Readable } from 'node:stream'
import type { FastifyReply } from 'fastify'

export interface StoredBytes {
  readonly sha256: string
  readonly sizeBytes: number
  readonly bytes: AsyncIterable<Buffer>
}

/** The stream to answer with; a client that goes away ends it. */
export function sendBytes(reply: FastifyReply, { sha256, sizeBytes, bytes }: StoredBytes): Readable {
  reply.header('content-length', sizeBytes).header('x-content-sha256', sha256)
  return Readable.from(bytes, { objectMode: false })
}
