/** The SHA-256 of streams as they grow, so that a seal need not read again what this process has stored itself. */
import { createHash, type Hash } from 'node:crypto'

/** Streams at once; one that was left out longest is read again when it is sealed. */
const mostStreams = 2000

export class LogHashes {
  readonly #streams = new Map<number, { readonly hash: Hash; lengthBytes: number }>()

  /** Bytes that a COMMIT has put at `offset` of the stream; told in the order of the commits. */
  add(streamId: number, offset: number, bytes: Buffer): void {
    const stream = this.#streams.get(streamId) ?? { hash: createHash('sha256'), lengthBytes: 0 }
    this.#streams.delete(streamId)
    if (stream.lengthBytes !== offset) return // it began before this process did
    stream.hash.update(bytes)
    stream.lengthBytes += bytes.length
    this.#streams.set(streamId, stream)
    for (const oldest of this.#streams.keys()) {
      if (this.#streams.size <= mostStreams) break
      this.#streams.delete(oldest)
    }
  }

  /** In hex, of the stream's first `lengthBytes`; undefined when it is not known. */
  of(streamId: number, lengthBytes: number): string | undefined {
    const stream = this.#streams.get(streamId)
    return stream?.lengthBytes === lengthBytes ? stream.hash.copy().digest('hex') : undefined
  }

  /** Nothing follows. */
  forget(streamId: number): void {
    this.#streams.delete(streamId)
  }
}
