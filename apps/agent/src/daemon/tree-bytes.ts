/** How much room a directory takes. */
import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'

/** Bytes of disk below `path`, which may be gone: 0. Links are not followed. */
export async function treeBytes(path: string): Promise<number> {
  const node = await unlessGone(lstat(path))
  if (node === undefined) return 0
  let total = node.blocks * 512
  if (!node.isDirectory()) return total
  for (const name of (await unlessGone(readdir(path))) ?? []) total += await treeBytes(join(path, name))
  return total
}

/** Others may be removing it. */
async function unlessGone<T>(look: Promise<T>): Promise<T | undefined> {
  try {
    return await look
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw cause
  }
}
