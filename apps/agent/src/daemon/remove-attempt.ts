/** Removes an attempt's directory in one step, so that no process finds half of it after a kill. */
import { rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { AttemptLayout } from '../journal/layout.js'
import { namesIn } from '../journal/names-in.js'

const removed = '.removed-'

/** Gone under its name at once, then from the disk. Again, or without such a directory: nothing happens. */
export async function removeAttempt({ root }: AttemptLayout): Promise<void> {
  const doomed = join(dirname(root), `${removed}${basename(root)}`)
  await rm(doomed, { recursive: true, force: true })
  try {
    await rename(root, doomed)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return
    throw cause
  }
  await rm(doomed, { recursive: true, force: true })
}

/** What a killed process was removing. `attempts`: the folder of all attempts; it may be missing. */
export async function finishRemovals(attempts: string): Promise<void> {
  for (const name of await namesIn(attempts))
    if (name.startsWith(removed)) await rm(join(attempts, name), { recursive: true, force: true })
}
