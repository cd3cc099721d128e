/** A file that another program is going to write and that only this user may read. */
import { open } from 'node:fs/promises'

/** Makes it (0600), empty, unless it is there: who opens it later keeps its mode. */
export async function makePrivateFile(path: string): Promise<void> {
  const file = await open(path, 'a', 0o600)
  await file.close()
}
