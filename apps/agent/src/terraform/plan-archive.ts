/**
 * The plan as it is stored: a tar.gz of the plan file, the lock file and every file that planning created or changed outside
 * `.terraform/` (an apply may read them). Inside: `plan.tfplan` and `work/<path in the work directory>`.
 */
import { chmod, lstat, open, rename, rm } from 'node:fs/promises'
import { basename, dirname, join, relative } from 'node:path'
import { syncDirectory } from '@iac-agent/runtime'
import { treeFiles } from './tree-files.js'
import { unpackArchive } from './unpack.js'

/** Path in the work directory -> what changes with each write. */
export type TreeSnapshot = Readonly<Record<string, string>>

const planName = 'plan.tfplan'
const lockFile = '.terraform.lock.hcl'

/** Taken just before planning, after init. */
export async function snapshotTree(workDir: string): Promise<TreeSnapshot> {
  const snapshot: Record<string, string> = {}
  for await (const path of treeFiles(workDir)) snapshot[relative(workDir, path)] = await stampOf(path)
  return snapshot
}

export interface PackRequest {
  readonly workDir: string
  readonly rootDir: string
  readonly planFile: string
  readonly before: TreeSnapshot
  /** Appears whole (0600) or not at all. */
  readonly target: string
}

/** Packs a plan; the same call again gives the same files. */
export async function packPlan(request: PackRequest): Promise<void> {
  const { workDir, rootDir, planFile, before, target } = request
  const lock = relative(workDir, join(rootDir, lockFile))
  const files: string[] = []
  for await (const path of treeFiles(workDir)) {
    const name = relative(workDir, path)
    if (path !== planFile && (name === lock || before[name] !== (await stampOf(path)))) files.push(name)
  }
  await pack(workDir, planFile, files, target)
}

/** Puts a stored plan back: the plan file to `planFile`, the rest over the configuration that is already there. */
export async function restorePlan(request: { archive: string; workDir: string; planFile: string }): Promise<void> {
  const { archive, workDir, planFile } = request
  const planDir = dirname(planFile)
  let hasMore = false
  await unpackArchive({
    file: archive,
    into: planDir,
    takes: (path) => {
      hasMore ||= path.startsWith('work/')
      return path === planName
    },
  })
  if (hasMore)
    await unpackArchive({ file: archive, into: workDir, strip: 1, takes: (path) => path.startsWith('work/') })
  if (basename(planFile) !== planName) await rename(join(planDir, planName), planFile)
  await chmod(planFile, 0o600)
}

async function pack(workDir: string, planFile: string, files: readonly string[], target: string): Promise<void> {
  const { create } = await import('tar')
  const draft = `${target}.draft`
  await rm(draft, { force: true })
  await create(
    {
      file: draft,
      mode: 0o600,
      cwd: workDir,
      gzip: { level: 6 },
      portable: true,
      preservePaths: true,
      onWriteEntry: (entry) => {
        const path = entry.absolute ?? ''
        entry.path = path === planFile ? planName : join('work', relative(workDir, path))
        if (entry.type === 'Link') entry.linkpath = join('work', entry.linkpath ?? '')
      },
    },
    [planFile, ...files.map((name) => `./${name}`)], // a bare name beginning with @ would mean an archive to tar
  )
  await syncFile(draft)
  await rename(draft, target)
  await syncDirectory(dirname(target))
}

async function syncFile(path: string): Promise<void> {
  const file = await open(path, 'r+')
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}

async function stampOf(path: string): Promise<string> {
  const { size, ino, mtimeNs, ctimeNs } = await lstat(path, { bigint: true })
  return [size, ino, mtimeNs, ctimeNs].join(' ')
}
