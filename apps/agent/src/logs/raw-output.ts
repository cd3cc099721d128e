/** Reads a file that somebody else appends to: what is there, and word that there may be more. */
import { type FSWatcher, watch } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'

/** How often the file is looked at when nobody reports a change (no inotify, a network disk). */
const lookEveryMs = 250

export class RawOutput implements AsyncDisposable {
  readonly #path: string
  #file: FileHandle | undefined
  #watcher: FSWatcher | undefined
  /** Counts hints that the file may have grown. */
  #hints = 0
  #hintsAtRead = 0
  #wake: (() => void) | undefined

  constructor(path: string) {
    this.#path = path
  }

  /** Bytes at `offset` read into `buffer`: a view of it, empty when there are none yet (or no file yet). */
  async read(offset: number, buffer: Buffer): Promise<Buffer> {
    this.#hintsAtRead = this.#hints
    this.#file ??= await this.#open()
    if (this.#file === undefined) return buffer.subarray(0, 0)
    const { bytesRead } = await this.#file.read(buffer, 0, buffer.length, offset)
    return buffer.subarray(0, bytesRead)
  }

  /** Resolves when the file may have grown since the last read, after 250 ms at the latest, or on `nudge`. */
  async change(): Promise<void> {
    if (this.#hints !== this.#hintsAtRead) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, lookEveryMs)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
    this.#wake = undefined
  }

  /** Ends a `change` that is waiting, or the next one. */
  nudge(): void {
    this.#hints++
    this.#wake?.()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.nudge()
    this.#watcher?.close()
    await this.#file?.close()
  }

  async #open(): Promise<FileHandle | undefined> {
    try {
      const file = await open(this.#path, 'r')
      this.#watch()
      return file
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw cause
    }
  }

  #watch(): void {
    try {
      this.#watcher = watch(this.#path, { persistent: false }, () => this.nudge())
      this.#watcher.on('error', () => this.#watcher?.close()) // the timer goes on looking
    } catch {
      this.#watcher = undefined // out of inotify watches: the timer goes on looking
    }
  }
}
