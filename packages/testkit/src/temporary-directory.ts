/** A directory for one test. */
import { mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Exists (0700) until disposed. */
export interface TemporaryDirectory extends AsyncDisposable {
  path: string
}

/** Made under the system's temporary directory, removed with everything in it on dispose. */
export async function temporaryDirectory(name = 'test'): Promise<TemporaryDirectory> {
  const path = await mkdtemp(join(await realpath(tmpdir()), `iac-${name}-`))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true, maxRetries: 3 }) }
}

/** A directory of somebody else in the same shape: it stays. */
export function keptDirectory(path: string): TemporaryDirectory {
  return { path, [Symbol.asyncDispose]: () => Promise.resolve() }
}
