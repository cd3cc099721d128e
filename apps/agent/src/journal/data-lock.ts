/** One daemon per data directory: a link that names its owner; a dead owner's link is taken over. */
import { mkdir, readlink, rename, symlink, unlink } from 'node:fs/promises'
import type { DataLayout } from './layout.js'
import { formatIdentity, identityOf, isAlive, parseIdentity } from './process-identity.js'

/** The data directory belongs to another live daemon (exit code 5). */
export class DataDirectoryInUse extends Error {
  readonly code = 'data_directory_in_use'
  constructor(
    readonly directory: string,
    readonly pid: number,
  ) {
    super(`the data directory ${directory} is in use by process ${pid}`)
  }
}

/** Holds the data directory until disposed. */
export class DataLock implements AsyncDisposable {
  private constructor(
    readonly path: string,
    readonly mine: string,
  ) {}

  /** Takes the directory (creating it, 0700); throws DataDirectoryInUse naming the pid that has it. */
  static async take(data: DataLayout): Promise<DataLock> {
    await mkdir(data.root, { recursive: true, mode: 0o700 })
    const me = await identityOf(process.pid)
    if (!me) throw new Error('this process is not in /proc: is /proc mounted?')
    const mine = formatIdentity(me)
    for (;;) {
      const holder = await readLock(data.lock)
      if (holder === undefined) {
        if (await link(mine, data.lock)) return new DataLock(data.lock, mine)
        continue // somebody was faster: see who
      }
      const identity = parseIdentity(holder)
      if (identity && (await isAlive(identity))) throw new DataDirectoryInUse(data.root, identity.pid)
      await removeStale(data.lock, holder, mine)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if ((await readLock(this.path)) === this.mine) await unlink(this.path)
  }
}

/** Who holds the lock now, by pid; undefined when nobody alive does. */
export async function lockHolder(data: DataLayout): Promise<number | undefined> {
  const identity = parseIdentity((await readLock(data.lock)) ?? '')
  return identity && (await isAlive(identity)) ? identity.pid : undefined
}

async function readLock(path: string): Promise<string | undefined> {
  try {
    return await readlink(path)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw cause
  }
}

async function link(target: string, path: string): Promise<boolean> {
  try {
    await symlink(target, path)
    return true
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw cause
  }
}

/** Moves the dead owner's link away under our name first: two starters cannot both remove, and neither removes a live one. */
async function removeStale(path: string, stale: string, mine: string): Promise<void> {
  const aside = `${path}.${mine}`
  try {
    await rename(path, aside)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return // the other starter removed it
    throw cause
  }
  const moved = await readlink(aside)
  if (moved !== stale) await link(moved, path) // it was a live one's, made in between: put it back
  await unlink(aside)
}
