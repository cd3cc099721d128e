/** The spool's checkpoints: JSON lines appended and fsynced, the last whole one counts; rewritten when long. */
import { constants } from 'node:fs'
import { type FileHandle, open, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import { fits } from '@iac-agent/protocol'
import { syncDirectory } from '@iac-agent/runtime'
import { type Static, Type } from 'typebox'
import { writeAll } from '../journal/write-all.js'
import { TranscriptPosition } from './transcript.js'

/** What was durable in the spool when the transcript was at a position. */
export const Checkpoint = Type.Object({
  spoolBytes: Type.Integer({ minimum: 0 }),
  position: TranscriptPosition,
  /** of the text that came with it, the spool's last bytes: tells whether a power cut spared them */
  text: Type.Optional(Type.Object({ sizeBytes: Type.Integer({ minimum: 0 }), crc32: Type.Integer({ minimum: 0 }) })),
  /** nothing follows: the spool is whole */
  isEnded: Type.Boolean(),
})
export type Checkpoint = Static<typeof Checkpoint>

/** Above this the file is replaced by one of its last line. Bytes. */
const rewriteAtBytes = 64 * 1024

export class CheckpointFile implements AsyncDisposable {
  readonly #path: string
  #file: FileHandle
  #sizeBytes: number
  /** Behind the last line may be what a crash or a full disk left of another. */
  #mayBeTorn = true

  private constructor(path: string, file: FileHandle, sizeBytes: number) {
    this.#path = path
    this.#file = file
    this.#sizeBytes = sizeBytes
  }

  /** Opens or creates the file and answers its checkpoints, oldest first; a torn line is not one. */
  static async open(path: string): Promise<{ file: CheckpointFile; checkpoints: Checkpoint[] }> {
    const handle = await openForWriting(path)
    const text = await handle.readFile('utf8')
    const whole = text.slice(0, text.lastIndexOf('\n') + 1)
    if (text !== '') await handle.datasync() // a process that was killed may have left it to the kernel
    const file = new CheckpointFile(path, handle, Buffer.byteLength(whole))
    return { file, checkpoints: whole.split('\n').flatMap(checkpointOf) }
  }

  /**
   * Makes `checkpoint` the last one; it and what `syncText` syncs are durable when resolved, in no order: after a power cut its `text`
   * tells. A failed write leaves the one before.
   */
  async append(checkpoint: Checkpoint, syncText: () => Promise<void>): Promise<void> {
    const line = Buffer.from(`${JSON.stringify(checkpoint)}\n`)
    if (this.#sizeBytes + line.length > rewriteAtBytes && this.#sizeBytes > 0) {
      await syncText() // the one before is about to go
      return this.#rewrite(line)
    }
    if (this.#mayBeTorn) await this.#file.truncate(this.#sizeBytes)
    this.#mayBeTorn = true
    await writeAll(this.#file, line, this.#sizeBytes)
    await Promise.all([this.#file.datasync(), syncText()])
    this.#mayBeTorn = false
    this.#sizeBytes += line.length
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close()
  }

  async #rewrite(line: Buffer): Promise<void> {
    const temporary = `${this.#path}.tmp`
    const file = await openForWriting(temporary)
    try {
      await file.truncate(0)
      await writeAll(file, line, 0)
      await file.datasync()
      await rename(temporary, this.#path)
      await syncDirectory(dirname(this.#path))
    } catch (cause) {
      await file.close()
      throw cause
    }
    await this.#file.close()
    this.#file = file
    this.#sizeBytes = line.length
    this.#mayBeTorn = false
  }
}

/** Opens for reading and writing at any position, creating the file (0600) when absent. */
export async function openForWriting(path: string): Promise<FileHandle> {
  return open(path, constants.O_RDWR | constants.O_CREAT, 0o600)
}

function checkpointOf(line: string): Checkpoint[] {
  try {
    const value: unknown = JSON.parse(line)
    return fits(Checkpoint, value) ? [value] : []
  } catch {
    return [] // a line torn by a crash or a full disk: the one before it counts
  }
}
