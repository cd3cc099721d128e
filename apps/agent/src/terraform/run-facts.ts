/** What a supervisor's directory says about its command: three names in it, read at any time by any agent process. */
import { readdirSync, readlinkSync } from 'node:fs'
import { symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { formatIdentity, identityOf, type ProcessIdentity, parseIdentity } from '../journal/process-identity.js'
import { TerraformError } from './terraform-error.js'

export interface RunFacts {
  /** The supervisor; or the agent process that won the claim to say "never to be started". */
  readonly claim?: ProcessIdentity
  /** The command itself; made before it runs, and it keeps this identity through `exec`. */
  readonly pid?: ProcessIdentity
  /** The command's exit code; 128 + n when signal n ended it. */
  readonly exitCode?: number
  /** Clock ticks, user and system, of the command and all it waited for; absent when nobody counted. */
  readonly cpuTicks?: number
}

/** Exit code of a command that was never run. */
export const notStartedCode = 125

/** What the names in `runDir` say; an absent one is an absent fact. Without awaiting: 5 µs, where handing it to another thread costs 47. */
export async function readRun(runDir: string): Promise<RunFacts> {
  // `exit` first: a fact read later can only be newer, so a code is never seen without the pid it belongs to.
  const end = parseEnd(factIn(runDir, 'exit'))
  const claim = parseIdentity(linkText(join(runDir, 'claim')) ?? '')
  const pid = parseIdentity(factIn(runDir, 'pid'))
  return {
    ...(claim === undefined ? {} : { claim }),
    ...(pid === undefined ? {} : { pid }),
    ...end,
  }
}

/** `<code>:<user>:<system>` */
function parseEnd(text: string): Pick<RunFacts, 'exitCode' | 'cpuTicks'> {
  const [, code, user, system] = /^(\d{1,3}):(\d*):(\d*)$/.exec(text) ?? []
  if (code === undefined) return {}
  return { exitCode: Number(code), ...(user && system ? { cpuTicks: Number(user) + Number(system) } : {}) }
}

/**
 * Takes the claim of a run that may not have begun. True: it was free and is ours, so nothing was and nothing will be started.
 * False: a supervisor has it (or had it).
 */
export async function claimRun(runDir: string): Promise<boolean> {
  const me = await identityOf(process.pid)
  if (me === undefined) throw new TerraformError('agent_fault', 'this process is not in /proc: is /proc mounted?')
  try {
    await symlink(formatIdentity(me), join(runDir, 'claim'))
    return true
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw cause
  }
}

/** What follows `name=` in the name of a file; empty when there is none. */
function factIn(runDir: string, name: string): string {
  const names = ifThere(() => readdirSync(runDir)) ?? []
  return names.find((each) => each.startsWith(`${name}=`))?.slice(name.length + 1) ?? ''
}

/** What a link says; undefined when there is none. */
function linkText(path: string): string | undefined {
  return ifThere(() => readlinkSync(path))
}

function ifThere<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw cause
  }
}
