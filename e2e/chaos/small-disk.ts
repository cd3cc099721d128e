/** A disk of its own, small enough to be filled: a tmpfs, which only root may mount. */
import { cp, lstat, open, rename, rm, rmdir, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'

const sizeMiB = 96

export class SmallDisk implements AsyncDisposable {
  readonly #filler: string

  private constructor(readonly path: string) {
    this.#filler = join(path, 'filler')
  }

  /** Mounted over the directory `path`; answers the reason, as a sentence, when this machine does not let us. */
  static async mount(path: string): Promise<SmallDisk | string> {
    if (process.getuid?.() !== 0) return 'needs root, to mount a tmpfs'
    const { exitCode, stderr } = await execa(
      'mount',
      ['-t', 'tmpfs', '-o', `size=${sizeMiB}m,mode=700`, 'tmpfs', path],
      {
        reject: false,
      },
    )
    return exitCode === 0 ? new SmallDisk(path) : `a tmpfs could not be mounted: ${stderr}`
  }

  /** Leaves no byte free. */
  async fill(): Promise<void> {
    await using file = await open(this.#filler, 'a', 0o600)
    const block = Buffer.alloc(64 * 1024, 'x')
    for (;;) {
      try {
        await file.write(block, 0, (await this.#hasRoomFor(block.length)) ? block.length : 4096)
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOSPC') return
        throw error
      }
    }
  }

  async free(): Promise<void> {
    await rm(this.#filler, { force: true })
  }

  /** Leaves what is on it in a plain directory of the same path, for a person. */
  async keep(): Promise<void> {
    const aside = `${this.path}.kept`
    await this.free()
    await cp(this.path, aside, { recursive: true, verbatimSymlinks: true, filter: isNoSocket })
    await this[Symbol.asyncDispose]()
    await rmdir(this.path)
    await rename(aside, this.path)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await execa('umount', [this.path])
  }

  async #hasRoomFor(bytes: number): Promise<boolean> {
    const { bavail, bsize } = await statfs(this.path)
    return bavail * bsize >= bytes
  }
}

async function isNoSocket(path: string): Promise<boolean> {
  return !(await lstat(path)).isSocket()
}
