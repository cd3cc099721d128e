/** One daemon per data directory: its owner is named by a link in it (holder-link.ts). */
import { mkdir, rm } from 'node:fs/promises'
import { holderOf, holdPlace } from './holder-link.js'
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
    this.name = 'DataDirectoryInUse'
  }
}

/** Holds the data directory until disposed. */
export class DataLock implements AsyncDisposable {
  private constructor(readonly path: string) {}

  /** Takes the directory (creating it, 0700); throws DataDirectoryInUse naming the pid that has it. */
  static async take(data: DataLayout): Promise<DataLock> {
    await mkdir(data.root, { recursive: true, mode: 0o700 })
    const me = await identityOf(process.pid)
    if (!me) throw new Error('this process is not in /proc: is /proc mounted?')
    const holding = await holdPlace(data.lock, formatIdentity(me), isOwnerAlive)
    if (!holding.isOurs) throw new DataDirectoryInUse(data.root, parseIdentity(holding.by.text)?.pid ?? 0)
    return new DataLock(holding.path)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.path, { force: true })
  }
}

/** Who holds the directory now, by pid; undefined when nobody alive does. */
export async function lockHolder(data: DataLayout): Promise<number | undefined> {
  const holder = await holderOf(data.lock, isOwnerAlive)
  return holder && parseIdentity(holder.text)?.pid
}

async function isOwnerAlive(text: string): Promise<boolean> {
  const owner = parseIdentity(text)
  return owner !== undefined && (await isAlive(owner))
}
