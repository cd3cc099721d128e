/**
 * One daemon per data directory. Its owner holds the highest of the links `daemon.lock.<n>`, each naming a process; who finds the
 * highest one's process dead makes the next. A link is made once and never changed, so no two starters can both win.
 */
import { mkdir, readdir, readlink, rm, symlink } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { DataLayout } from './layout.js'
import { formatIdentity, identityOf, isAlive, type ProcessIdentity, parseIdentity } from './process-identity.js'

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
    for (;;) {
      const highest = (await generations(data)).at(-1) ?? 0
      const owner = await ownerOf(data, highest)
      if (owner && (await isAlive(owner))) throw new DataDirectoryInUse(data.root, owner.pid)
      if (await make(data, highest + 1, me)) {
        if (await isHighest(data, highest + 1)) return new DataLock(pathOf(data, highest + 1))
        await rm(pathOf(data, highest + 1), { force: true }) // what we saw as highest was long replaced
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.path, { force: true })
  }
}

/** Who holds the directory now, by pid; undefined when nobody alive does. */
export async function lockHolder(data: DataLayout): Promise<number | undefined> {
  const owner = await ownerOf(data, (await generations(data)).at(-1) ?? 0)
  return owner && (await isAlive(owner)) ? owner.pid : undefined
}

/** Numbers of the links there are, ascending. */
async function generations(data: DataLayout): Promise<number[]> {
  const prefix = `${basename(data.lock)}.`
  return (await namesIn(data.root))
    .filter((name) => name.startsWith(prefix) && /^\d+$/.test(name.slice(prefix.length)))
    .map((name) => Number(name.slice(prefix.length)))
    .sort((one, other) => one - other)
}

async function ownerOf(data: DataLayout, generation: number): Promise<ProcessIdentity | undefined> {
  try {
    return parseIdentity(await readlink(pathOf(data, generation)))
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw cause
  }
}

/** False when the generation is somebody's already. */
async function make(data: DataLayout, generation: number, me: ProcessIdentity): Promise<boolean> {
  try {
    await symlink(formatIdentity(me), pathOf(data, generation))
    return true
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw cause
  }
}

/** True when nobody made a higher one; then the lower ones, of dead owners, go. */
async function isHighest(data: DataLayout, mine: number): Promise<boolean> {
  const all = await generations(data)
  if (all.at(-1) !== mine) return false
  for (const generation of all.slice(0, -1)) await rm(pathOf(data, generation), { force: true })
  return true
}

function pathOf(data: DataLayout, generation: number): string {
  return join(data.root, `${basename(data.lock)}.${generation}`)
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw cause
  }
}
