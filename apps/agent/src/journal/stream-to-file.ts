/** Streams bytes into a file: in large writes, seen while the disk takes them, and on their way to its platter before the end. */
import type { FileHandle } from 'node:fs/promises'
import { letGo } from '@iac-agent/runtime'
import { writeAll } from './write-all.js'

const blockBytes = 256 * 1024
/** A sync that begins early finds little left to do at the end. */
const syncEachBytes = 16 * blockBytes

/**
 * Writes all of `body` from the file's start and syncs it; answers its size. Each piece passes `see` in order, while the disk takes it:
 * to hash a block costs about as long as to write it.
 * @param write what does a write, and may do it twice (the same bytes at the same place). Default: does it
 * @throws the stream's or the disk's error, or what `see` throws; then some of the bytes are written
 */
export async function streamToFile(
  file: FileHandle,
  body: AsyncIterable<Uint8Array>,
  see: (piece: Uint8Array) => Promise<void>,
  write: (body: () => Promise<void>) => Promise<void> = (body) => body(),
): Promise<number> {
  const writer = new Writer(file, see, write)
  try {
    for await (const piece of body) await writer.add(piece)
    await writer.end()
  } finally {
    await writer.settled()
  }
  return writer.sizeBytes
}

class Writer {
  sizeBytes = 0
  #pieces: Uint8Array[] = []
  #gathered = 0
  #unsynced = 0
  #writing: Promise<void> = Promise.resolve()
  #syncing: Promise<void> = Promise.resolve()

  constructor(
    private readonly file: FileHandle,
    private readonly see: (piece: Uint8Array) => Promise<void>,
    private readonly write: (body: () => Promise<void>) => Promise<void>,
  ) {}

  async add(piece: Uint8Array): Promise<void> {
    this.#pieces.push(piece)
    this.#gathered += piece.length
    if (this.#gathered < blockBytes) return
    await this.#writing
    letGo(blockBytes) // those of the block before
    const pieces = this.#begin()
    if (this.#unsynced >= syncEachBytes) this.#sync()
    for (const each of pieces) await this.see(each)
  }

  /** The last block is seen while the disk syncs: the sync has to be under way, since seeing holds up this thread. */
  async end(): Promise<void> {
    await this.#writing
    const pieces = this.#begin()
    await this.#writing
    await this.#syncing
    this.#syncing = quiet(this.file.datasync())
    for (const each of pieces) await this.see(each)
    await this.#syncing
  }

  /** Nothing uses the file any more; a fault was told before, or is behind another one. */
  async settled(): Promise<void> {
    await Promise.allSettled([this.#writing, this.#syncing])
  }

  /** Begins to write what is gathered, and answers it. */
  #begin(): Uint8Array[] {
    const [pieces, from] = [this.#pieces, this.sizeBytes]
    this.sizeBytes += this.#gathered
    this.#unsynced += this.#gathered
    this.#pieces = []
    this.#gathered = 0
    if (pieces.length > 0) this.#writing = quiet(this.write(() => writePieces(this.file, pieces, from)))
    return pieces
  }

  /** Syncs, after the syncs before, what is given to the file by now. */
  #sync(): void {
    const written = this.#writing
    this.#unsynced = 0
    this.#syncing = quiet(this.#syncing.then(() => written).then(() => this.file.datasync()))
  }
}

async function writePieces(file: FileHandle, pieces: Uint8Array[], position: number): Promise<void> {
  const sizeBytes = pieces.reduce((sum, { length }) => sum + length, 0)
  const { bytesWritten } = await file.writev(pieces, position)
  if (bytesWritten === sizeBytes) return
  await writeAll(file, Buffer.concat(pieces).subarray(bytesWritten), position + bytesWritten)
}

/** Awaited later: until then a rejection is nobody's surprise. */
function quiet(promise: Promise<void>): Promise<void> {
  promise.catch(() => undefined)
  return promise
}
