/** What could be downloaded or made again: versions of terraform and tofu, and what init left in the workspaces' work directories. */
import { readdir, rename, rm, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { attemptLayoutAt, type DataLayout, isWorkDirectory, workLayout } from '../journal/layout.js'
import { TerraformError } from '../terraform/terraform-error.js'
import { claimWorkDirectory, type WorkDirectory } from '../terraform/work-directory.js'
import { treeBytes } from './tree-bytes.js'

export interface CacheEntry {
  readonly path: string
  /** last use, epoch ms */
  readonly since: number
  readonly sizeBytes: number
}

export interface CachesParts {
  data: DataLayout
  workRoot: string
  /** Programs that attempts of now run. */
  programsInUse(): string[]
  now(): number
}

/** One that was used so lately may be about to be used. */
const restMs = 10 * 60 * 1000
/** A download that a dead process left; one that goes on is younger. */
const abandonedMs = 24 * 60 * 60 * 1000

export class Caches {
  constructor(private readonly parts: CachesParts) {}

  async list(): Promise<CacheEntry[]> {
    const { data, workRoot } = this.parts
    const engines = await namesIn(data.versions)
    const versions = await Promise.all(engines.map((engine) => pathsIn(join(data.versions, engine))))
    const workspaces = (await namesIn(workRoot)).filter(isWorkspace).map((name) => join(workRoot, name))
    const entries: CacheEntry[] = []
    for (const path of [...versions.flat(), ...workspaces]) {
      const since = await lastUse(path)
      if (since !== undefined) entries.push({ path, since, sizeBytes: await treeBytes(path) })
    }
    return entries
  }

  /** What an interrupted download left behind. */
  isLeftover({ path, since }: CacheEntry): boolean {
    return basename(path).startsWith('.download-') && this.parts.now() - since > abandonedMs
  }

  /** False when it is in use. */
  async remove(path: string): Promise<boolean> {
    const { data, workRoot, programsInUse, now } = this.parts
    if (now() - ((await lastUse(path)) ?? 0) < restMs) return false
    if (path.startsWith(join(workRoot, '/'))) return await this.#removeWorkDirectory(path)
    if (programsInUse().some((program) => program.startsWith(join(path, '/')))) return false
    // gone at once for whoever looks, however long removing takes
    const doomed = join(data.versions, `.removed-${process.pid}`)
    await rm(doomed, { recursive: true, force: true })
    await rename(path, doomed)
    await rm(doomed, { recursive: true, force: true })
    return true
  }

  /** Held like by an attempt while it is removed. */
  async #removeWorkDirectory(path: string): Promise<boolean> {
    const { data, workRoot } = this.parts
    const layout = workLayout(workRoot, path.slice(join(workRoot, '/').length))
    let work: WorkDirectory
    try {
      work = await claimWorkDirectory(layout, attemptLayoutAt(join(data.attempts, 'janitor')))
    } catch (error) {
      if (error instanceof TerraformError && error.code === 'work_directory_busy') return false
      throw error
    }
    try {
      await rm(path, { recursive: true, force: true })
    } finally {
      await work.release()
    }
    return true
  }
}

/** The work root may hold what is not ours. */
function isWorkspace(name: string): boolean {
  return name.startsWith('ws-') && isWorkDirectory(name)
}

async function lastUse(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).mtimeMs
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw cause
  }
}

async function pathsIn(directory: string): Promise<string[]> {
  return (await namesIn(directory)).map((name) => join(directory, name))
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory)
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return []
    throw cause
  }
}
