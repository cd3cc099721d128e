/** Room left on the disk of a directory. */
import { statfsSync } from 'node:fs'

/** Bytes this user may still write. */
export function freeBytes(path: string): number {
  const { bavail, bsize } = statfsSync(path)
  return bavail * bsize
}
