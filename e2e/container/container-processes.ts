/** Which processes run in a container that has no namespace of its own: those that share its init's root directory. */
import { readdir, readFile, readlink } from 'node:fs/promises'

/** One process, as /proc tells. */
export interface Process {
  pid: number
  parent: number
  root: string
  command: string
}

/** The container's init: the first tini below the engine's process `ancestor`. */
export async function initBelow(ancestor: number): Promise<Process | undefined> {
  const all = await processes()
  const parents = new Map(all.map(({ pid, parent }) => [pid, parent]))
  const isBelow = (pid: number): boolean => {
    const parent = parents.get(pid)
    return parent !== undefined && (parent === ancestor || isBelow(parent))
  }
  return all.find(({ pid, command }) => command.startsWith('/usr/bin/tini') && isBelow(pid))
}

/** Everybody whose root directory is `root`. */
export async function processesIn(root: string): Promise<Process[]> {
  return (await processes()).filter((process) => process.root === root)
}

/** SIGKILL; answers nothing to a process that has ended meanwhile. */
export function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if (!isGone(error)) throw error
  }
}

async function processes(): Promise<Process[]> {
  const pids = (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry))
  const found = await Promise.all(pids.map((pid) => read(Number(pid))))
  return found.filter((process) => process !== undefined)
}

async function read(pid: number): Promise<Process | undefined> {
  try {
    const [stat, root, command] = await Promise.all([
      readFile(`/proc/${pid}/stat`, 'utf8'),
      readlink(`/proc/${pid}/root`),
      readFile(`/proc/${pid}/cmdline`, 'utf8'),
    ])
    const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    if (state === 'Z') return undefined
    return { pid, parent: Number(parent), root, command: command.replaceAll('\0', ' ') }
  } catch (error) {
    if (isGone(error)) return undefined
    throw error
  }
}

/** Ended between two looks; a zombie's and a kernel thread's root cannot be read either. */
function isGone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && ['ENOENT', 'ESRCH', 'EACCES'].includes(String(error.code))
}
