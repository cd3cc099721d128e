/**
 * Skips `terraform init` when it would bring nothing new. What was initialised is remembered in `.terraform/` itself, by a hash over
 * all that init looks at; when a configuration uses only what terraform has built in, its backend note alone is enough.
 */
import { createHash } from 'node:crypto'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import type { Engine } from '@iac-agent/protocol'
import { writeFileAtomic } from '@iac-agent/runtime'
import { treeFiles } from './tree-files.js'

export interface InitSubject {
  readonly workDir: string
  readonly rootDir: string
  readonly engine: Engine
  readonly version: string
  /** From `scanConfiguration`. */
  readonly isBuiltinOnly: boolean
  readonly cliConfigFile?: string
  /** Directory of the data directory where backend notes are kept, one per engine and version. */
  readonly seedDir: string
}

const backendNote = 'terraform.tfstate'
const lockFile = '.terraform.lock.hcl'

/** Decides, and when no init is needed puts back what it had written outside `.terraform/` (the lock file). */
export async function isInitNeeded(subject: InitSubject): Promise<boolean> {
  const dot = join(subject.rootDir, '.terraform')
  if (subject.isBuiltinOnly && (await isCopied(seedOf(subject), join(dot, backendNote)))) return false
  const isKnown =
    isSameInit(await textOf(join(dot, 'iac-agent-init')), await initKey(subject)) &&
    (await textOf(join(dot, backendNote))) !== ''
  if (isKnown) await isCopied(join(dot, 'iac-agent-lock.hcl'), join(subject.rootDir, lockFile))
  return !isKnown
}

/** Forgets an init that is about to be replaced, so that one that fails half-way is not taken for done. */
export async function forgetInit(rootDir: string): Promise<void> {
  await rm(join(rootDir, '.terraform', 'iac-agent-init'), { force: true })
}

/** Remembers an init that exited with 0. `key`: from before it. */
export async function rememberInit(subject: InitSubject, key: string): Promise<void> {
  const dot = join(subject.rootDir, '.terraform')
  if (subject.isBuiltinOnly) {
    await mkdir(subject.seedDir, { recursive: true, mode: 0o700 })
    await isCopied(join(dot, backendNote), seedOf(subject))
  }
  const keptLock = join(dot, 'iac-agent-lock.hcl')
  if (!(await isCopied(join(subject.rootDir, lockFile), keptLock))) await rm(keptLock, { force: true })
  await mkdir(dot, { recursive: true, mode: 0o700 })
  const lockAfter = await lockOf(subject.rootDir)
  await writeFile(join(dot, 'iac-agent-init'), `${key} ${lockAfter}`, { mode: 0o600 })
}

/** What an init would start from: everything it reads (modules by content and place, engine, CLI configuration, platform), then a blank and the lock file. */
export async function initKey(subject: InitSubject): Promise<string> {
  const { workDir, rootDir, engine, version, cliConfigFile } = subject
  const hash = createHash('sha256')
  const add = (...parts: string[]) => hash.update(JSON.stringify(parts))
  add('2', engine, version, process.arch, rootDir)
  add(cliConfigFile ?? '', cliConfigFile === undefined ? '' : await textOf(cliConfigFile))
  for await (const path of treeFiles(workDir)) {
    if (/\.(?:tf|tofu)(?:\.json)?$/.test(path)) add(relative(workDir, path), await textOf(path))
  }
  return `${hash.digest('hex')} ${await lockOf(rootDir)}`
}

/** Nothing but the lock file may differ, and that only between what init found and what it left: a restored plan brings the latter. */
function isSameInit(remembered: string, key: string): boolean {
  const [inputs, lock = ''] = key.split(' ')
  const [knownInputs, ...knownLocks] = remembered.split(' ')
  return inputs === knownInputs && knownLocks.includes(lock)
}

async function lockOf(rootDir: string): Promise<string> {
  return createHash('sha256')
    .update(await textOf(join(rootDir, lockFile)))
    .digest('hex')
}

function seedOf({ seedDir, engine, version }: InitSubject): string {
  return join(seedDir, `${engine}-${version}-backend.json`)
}

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return ''
    throw cause
  }
}

/** False when there is no `from`. The copy appears whole: attempts of other workspaces may be reading it. An equal one stays. */
async function isCopied(from: string, to: string): Promise<boolean> {
  const [text, present] = await Promise.all([textOf(from), textOf(to)])
  if (text === '') return false
  if (text === present) return true
  await mkdir(join(to, '..'), { recursive: true, mode: 0o700 })
  await writeFileAtomic(to, text)
  return true
}
