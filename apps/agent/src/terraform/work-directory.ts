/**
 * A workspace's work directory, held by one attempt at a time. The holder is a link beside it (journal/holder-link.ts):
 * `<agent pid:start:boot> <attempt dir>`. It stands for the agent process and for every terraform that process started and may have
 * left behind.
 */
import { lstat, mkdir, readdir, rm, unlink } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { holdPlace, leaveLink } from '../journal/holder-link.js'
import { type AttemptLayout, attemptLayoutAt, type WorkLayout } from '../journal/layout.js'
import { formatIdentity, identityOf, isAlive, parseIdentity } from '../journal/process-identity.js'
import { groupMembers } from './process-group.js'
import { readRun } from './run-facts.js'
import { TerraformError } from './terraform-error.js'

export interface WorkDirectory {
  readonly path: string
  /** Nobody else has had it since this attempt last took it: what the attempt wrote is there. */
  readonly isUntouched: boolean
  /** Removes everything but the `.terraform` of the root module (`workingDirectory`, relative), which init may reuse. */
  clean(workingDirectory?: string): Promise<void>
  /** Gives it up. Only after the last supervisor of the attempt has ended. Again: nothing happens. */
  release(): Promise<void>
  /** Gives it up as if it had never been taken: whoever left it behind finds it untouched. */
  handBack(): Promise<void>
}

/**
 * Takes the directory (made 0700 when absent) for an attempt. The same attempt may take it again after its agent process died.
 * @throws TerraformError `work_directory_busy` while another attempt, of any agent on this host, has it
 */
export async function claimWorkDirectory(layout: WorkLayout, attempt: AttemptLayout): Promise<WorkDirectory> {
  await mkdir(layout.directory, { recursive: true, mode: 0o700 })
  const me = await identityOf(process.pid)
  if (me === undefined) throw new TerraformError('agent_fault', 'this process is not in /proc: is /proc mounted?')
  const mine = `${formatIdentity(me)} ${attempt.root}`
  const holding = await holdPlace(layout.claim, mine, (holder) => isHeld(holder, attempt.root))
  const link = holding.isOurs ? holding.path : holding.by.path
  if (!holding.isOurs && holding.by.text !== mine) throw busy(layout, holding.by.text)
  const former = holding.isOurs ? holding.replaced : []
  const release = () => rm(link, { force: true })
  return {
    path: layout.directory,
    isUntouched: !holding.isOurs || former.some((text) => isOfAttempt(text, attempt)),
    clean: (workingDirectory = '.') => clean(layout.directory, join(workingDirectory, '.terraform')),
    release,
    async handBack() {
      for (const text of former) await leaveLink(layout.claim, text)
      await release()
    },
  }
}

/** By the attempt's name, `<task>-<attempt>`, which no other of the workspace has: the data directory may have moved meanwhile. */
function isOfAttempt(holder: string, attempt: AttemptLayout): boolean {
  return basename(parseHolder(holder).attemptDir) === basename(attempt.root)
}

/** Whether somebody else's process or terraform is behind the holder's text. */
async function isHeld(holder: string, ownAttempt: string): Promise<boolean> {
  const { agent, attemptDir } = parseHolder(holder)
  if (agent !== undefined && (await isAlive(agent))) return true
  return attemptDir !== '' && attemptDir !== ownAttempt && (await hasLiveRun(attemptLayoutAt(attemptDir).runs))
}

/** A supervisor that is alive; or one that was killed with its group still there. */
async function hasLiveRun(runs: string): Promise<boolean> {
  for (const name of await namesIn(runs)) {
    const { claim, pid } = await readRun(join(runs, name))
    if (claim === undefined) continue
    const isThisBoot = claim.boot === (await identityOf(process.pid))?.boot
    if ((await isAlive(claim)) || (pid !== undefined && (await isAlive(pid)))) return true
    // A killed supervisor's number cannot be anybody else's while its group has members; a new leader means a new group.
    const isReused = (await identityOf(claim.pid)) !== undefined
    if (isThisBoot && !isReused && groupMembers(claim.pid).length > 0) return true
  }
  return false
}

async function clean(directory: string, kept: string): Promise<void> {
  const [first = '', ...rest] = kept.split('/').filter((part) => part !== '.' && part !== '')
  const names = await namesIn(directory)
  const removals = names
    .filter((name) => name !== first)
    .map((name) => rm(join(directory, name), { recursive: true, force: true }))
  if (names.includes(first) && rest.length > 0) removals.push(cleanKept(join(directory, first), rest.join('/')))
  await Promise.all(removals)
}

/** On the way down to `.terraform`: what is not a directory is removed, a link never followed. */
async function cleanKept(path: string, kept: string): Promise<void> {
  if ((await lstat(path)).isDirectory()) await clean(path, kept)
  else await unlink(path)
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

function parseHolder(text: string) {
  const [identity = '', ...path] = text.split(' ')
  return { agent: parseIdentity(identity), attemptDir: path.join(' ') }
}

function busy(layout: WorkLayout, holder: string): TerraformError {
  const { agent, attemptDir } = parseHolder(holder)
  const who = `attempt ${basename(attemptDir)} of the agent process ${agent?.pid ?? '?'}`
  return new TerraformError('work_directory_busy', `The work directory ${layout.directory} is in use by ${who}.`)
}
