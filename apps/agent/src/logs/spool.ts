/** The text of one attempt's log on disk: byte n of the file is offset n; what is durable may be sent, and is never changed. */
import { createHash, type Hash } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import { crc32 } from 'node:zlib'
import { crashPoint } from '../journal/crash-points.js'
import { writeAll } from '../journal/write-all.js'
import { type Checkpoint, CheckpointFile, openForWriting } from './checkpoint-file.js'
import { crc32Of, hashSpool, readSpool } from './spool-bytes.js'
import type { TranscriptPosition } from './transcript.js'

/** What a reader of the spool sees: only what is durable. */
export interface Spool {
  /** bytes that may be sent */
  readonly durableBytes: number
  /** nothing follows `durableBytes` */
  readonly isEnded: boolean
  /** Calls `listener` after each change of the two above; returns how to stop. */
  onChange(listener: () => void): () => void
  /** Durable bytes from `offset`, at most as many as `into` holds (a view of it); empty at the end. */
  read(offset: number, into: Buffer): Promise<Buffer>
  /** Hex SHA-256 of all durable bytes. */
  sha256(): Promise<string>
  /** Somebody watches (or no longer): text becomes durable every 40 ms instead of every 200. */
  watch(isWatched: boolean): void
}

export class SpoolFile implements Spool, AsyncDisposable {
  readonly #file: FileHandle
  readonly #checkpoints: CheckpointFile
  readonly #listeners = new Set<() => void>()
  #checkpoint: Checkpoint | undefined
  #isWatched = false
  /** Of all durable bytes; undefined in a process that did not write them all. */
  readonly #hash: Hash | undefined

  private constructor(file: FileHandle, checkpoints: CheckpointFile, checkpoint: Checkpoint | undefined) {
    this.#file = file
    this.#checkpoints = checkpoints
    this.#checkpoint = checkpoint
    this.#hash = this.durableBytes === 0 ? createHash('sha256') : undefined
  }

  /**
   * Opens the spool as the newest checkpoint describes it: text beyond it was never sent, and is cut off to be made again. A
   * checkpoint whose text is not there (a power cut before both were durable) was never acted on and is passed over.
   */
  static async open(spoolPath: string, checkpointPath: string): Promise<SpoolFile> {
    const file = await openForWriting(spoolPath)
    const { file: checkpointFile, checkpoints } = await CheckpointFile.open(checkpointPath)
    const { size } = await file.stat()
    const checkpoint = await newestWhole(file, size, checkpoints)
    await file.truncate(checkpoint?.spoolBytes ?? 0)
    if (size > 0) await file.datasync() // a process that was killed may have left it to the kernel
    return new SpoolFile(file, checkpointFile, checkpoint)
  }

  get durableBytes(): number {
    return this.#checkpoint?.spoolBytes ?? 0
  }

  get isEnded(): boolean {
    return this.#checkpoint?.isEnded ?? false
  }

  get isWatched(): boolean {
    return this.#isWatched
  }

  watch(isWatched: boolean): void {
    this.#isWatched = isWatched
  }

  /** Where the transcript goes on; undefined at the very beginning. */
  get position(): TranscriptPosition | undefined {
    return this.#checkpoint?.position
  }

  /** Appends `text` and the position it brings the transcript to; both durable when resolved. Retry a failed call as it was. */
  async append(text: Buffer, position: TranscriptPosition, isEnded: boolean): Promise<void> {
    const from = this.durableBytes
    if (text.length > 0) {
      await writeAll(this.#file, text, from)
      crashPoint('log.spooled')
    }
    const sum = { sizeBytes: text.length, crc32: crc32(text) }
    const checkpoint = { spoolBytes: from + text.length, position, text: sum, isEnded }
    await this.#checkpoints.append(checkpoint, async () => {
      if (text.length > 0) await this.#file.datasync()
    })
    crashPoint('log.checkpointed')
    this.#checkpoint = checkpoint
    this.#hash?.update(text)
    for (const listener of this.#listeners) listener()
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  read(offset: number, into: Buffer): Promise<Buffer> {
    return readSpool(this.#file, this.durableBytes, offset, into)
  }

  async sha256(): Promise<string> {
    return this.#hash?.copy().digest('hex') ?? hashSpool(this.#file, this.durableBytes)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close()
    await this.#checkpoints[Symbol.asyncDispose]()
  }
}

async function newestWhole(
  file: FileHandle,
  sizeBytes: number,
  checkpoints: readonly Checkpoint[],
): Promise<Checkpoint | undefined> {
  for (const checkpoint of [...checkpoints].reverse()) {
    const { spoolBytes, text } = checkpoint
    if (spoolBytes > sizeBytes) continue
    if (text === undefined || (await crc32Of(file, spoolBytes - text.sizeBytes, spoolBytes)) === text.crc32)
      return checkpoint
  }
  return undefined
}
