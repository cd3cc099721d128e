/** Who runs: what an agent's supervisor said in the run's directory before its command began. */
import { readdir } from 'node:fs/promises'

/** `pid:start:boot` of the command; undefined while there is none. `runDir`: `<attempt>/run/<name>`. */
export async function runCommandIdentity(runDir: string): Promise<string | undefined> {
  const names = await readdir(runDir).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return [] // not yet there, or no longer
    throw cause
  })
  return names.find((name) => name.startsWith('pid='))?.slice('pid='.length)
}
