/** The limit: a state in a file, on disk. */
import { open } from 'node:fs/promises'

/** Milliseconds to write a new file and fsync it. */
export async function writeDurably(path: string, bytes: Buffer): Promise<number> {
  const from = performance.now()
  const file = await open(path, 'w', 0o600)
  await file.writeFile(bytes)
  await file.sync()
  await file.close()
  return performance.now() - from
}
