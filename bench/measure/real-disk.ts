/** A folder on a real disk: on a tmpfs an fsync costs nothing, and nothing measured there is true. */
import { mkdtemp, realpath, statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** `f_type` of tmpfs and ramfs (linux/magic.h). */
const inMemory: ReadonlySet<number> = new Set([0x01021994, 0x858458f6])

/** @throws Error when the temporary directory lies in memory; TMPDIR names another */
export async function realDiskDirectory(prefix: string): Promise<string> {
  const parent = await realpath(tmpdir())
  const { type } = await statfs(parent)
  if (inMemory.has(type)) throw new Error(`${parent} lies in memory (tmpfs): set TMPDIR to a directory on a real disk`)
  return await mkdtemp(join(parent, prefix))
}
