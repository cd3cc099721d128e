/** Files that are there whole or not at all, also after a power cut. */
import { randomBytes } from 'node:crypto'
import { closeSync, fsync, openSync } from 'node:fs'
import { mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { promisify } from 'node:util'

const sync = promisify(fsync)

/**
 * Replaces `path` by temp file, fsync, rename and fsync of the folder.
 * @param options.mode default 0600
 * @throws the OS error; the former file is untouched then
 */
export async function writeFileAtomic(
  path: string,
  data: string | Uint8Array,
  options: { mode?: number } = {},
): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`
  try {
    await writeSynced(temporary, data, options.mode ?? 0o600)
    await rename(temporary, path)
  } catch (err) {
    await rm(temporary, { force: true })
    throw err
  }
  await syncDirectory(dirname(path))
}

/** Makes names just created, renamed or removed in `path` durable. */
export async function syncDirectory(path: string): Promise<void> {
  const folder = openSync(path, 'r') // only the sync is worth another thread
  try {
    await sync(folder)
  } finally {
    closeSync(folder)
  }
}

/** Makes `path` (and missing parents) readable by this user alone: 0700. One that exists keeps its mode. */
export async function makePrivateDirectory(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 })
}

async function writeSynced(path: string, data: string | Uint8Array, mode: number): Promise<void> {
  const file = await open(path, 'wx', mode)
  try {
    await file.writeFile(data)
    await file.sync()
  } finally {
    await file.close()
  }
}
