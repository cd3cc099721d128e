/** The spool of a log to which nothing is added any more: only read. */
import { type FileHandle, open } from 'node:fs/promises'
import type { Spool } from './spool.js'
import { hashSpool, readSpool } from './spool-bytes.js'

export class WholeSpool implements Spool, AsyncDisposable {
  readonly isEnded = true

  private constructor(
    private readonly file: FileHandle,
    readonly durableBytes: number,
  ) {}

  /** @param sizeBytes as it was recorded when the log was whole */
  static async open(path: string, sizeBytes: number): Promise<WholeSpool> {
    return new WholeSpool(await open(path, 'r'), sizeBytes)
  }

  onChange(): () => void {
    return () => undefined
  }

  read(offset: number, into: Buffer): Promise<Buffer> {
    return readSpool(this.file, this.durableBytes, offset, into)
  }

  sha256(): Promise<string> {
    return hashSpool(this.file, this.durableBytes)
  }

  watch(): void {}

  async [Symbol.asyncDispose](): Promise<void> {
    await this.file.close()
  }
}
