/** Puts supervise.sh into the data directory: a bundle is one file, and a running sh reads its script as it goes. */
import { createHash } from 'node:crypto'
import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { crashPoint } from '../journal/crash-points.js'
import superviseScript from './supervise.sh'

/**
 * Writes the script (0700) unless it is there already, and answers its path. The name carries its hash: an upgraded agent never
 * changes the file a supervisor of the older one is reading.
 */
export async function installSupervisor(directory: string): Promise<string> {
  const hash = createHash('sha256').update(superviseScript).digest('hex').slice(0, 12)
  const path = join(directory, `supervise-${hash}.sh`)
  if ((await textOf(path)) === superviseScript) return path
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const draft = `${path}.${process.pid}`
  await writeFile(draft, superviseScript, { mode: 0o700, flush: true })
  await chmod(draft, 0o700)
  await rename(draft, path)
  crashPoint('start.supervisor_installed')
  return path
}

async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw cause
  }
}
