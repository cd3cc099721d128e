/**
 * A cgroup (v2) per run, where this agent may make them: the kernel counts the CPU time of all that is in it, and who left the
 * supervisor's group (`setsid`) is still in it at the end. A link in the run's directory says which; without one all goes on as ever.
 */
import { randomUUID } from 'node:crypto'
import { constants, readFileSync, readlinkSync, rmdirSync } from 'node:fs'
import { access, mkdir, readdir, readFile, rename, rm, rmdir, symlink, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { pause } from '@iac-agent/runtime'
import { namesIn } from '../journal/names-in.js'

/** The directory this process may make cgroups in: its own cgroup, when it is delegated to us. Undefined when it is not. */
export async function findCgroup(): Promise<string | undefined> {
  try {
    const own = ownCgroup(await readFile('/proc/self/cgroup', 'utf8'), await readFile('/proc/self/mountinfo', 'utf8'))
    return own !== undefined && (await isDelegated(own)) ? own : undefined
  } catch {
    return undefined // no /proc of this kind: the answer is no
  }
}

/** Where the cgroup2 file system shows the cgroup that `/proc/self/cgroup` names; pure. */
export function ownCgroup(membership: string, mounts: string): string | undefined {
  const path = /^0::(\/.*)$/m.exec(membership)?.[1]
  if (path === undefined) return undefined
  for (const line of mounts.split('\n')) {
    const [before = '', after = ''] = line.split(' - ')
    if (!after.startsWith('cgroup2 ')) continue
    const [, , , root = '', mountPoint = ''] = before.split(' ')
    const within = relative(root, path)
    if (!within.startsWith('..')) return join(mountPoint, within)
  }
  return undefined
}

/** Cgroups can be made in it, are killed as one (Linux 5.14), and processes may move into them. */
async function isDelegated(directory: string): Promise<boolean> {
  const probe = join(directory, `iac-probe-${randomUUID()}`)
  await access(join(directory, 'cgroup.procs'), constants.W_OK)
  await mkdir(probe)
  try {
    await access(join(probe, 'cgroup.kill'), constants.W_OK)
    return true
  } finally {
    await rmdir(probe)
  }
}

/** One that no run has yet. */
export interface SpareCgroup {
  readonly path: string
  /** Leads there, so that whoever comes after us finds it. */
  readonly link: string
}

/** Makes a cgroup under `parent`, and a link to it in `directory`; the link comes first, so that nothing is ever left unnamed. */
export async function makeCgroup(parent: string, directory: string): Promise<SpareCgroup> {
  const name = `iac-${randomUUID()}`
  const made = { path: join(parent, name), link: join(directory, name) }
  await symlink(made.path, made.link)
  await mkdir(made.path)
  return made
}

/** The cgroup becomes that of a run. One that a process gave the run before it died stays named beside it, and is removed with it. */
export async function handCgroup({ link }: Pick<SpareCgroup, 'link'>, runDir: string): Promise<void> {
  const place = join(runDir, 'cgroup')
  if (linkTarget(place) !== undefined) await rename(place, join(runDir, `cgroup-${randomUUID()}`))
  await rename(link, place)
}

/** Of one that no run got, by its link: removes it when nobody is in it, which else is tried at the next start. Kills nobody: in a copy of the data directory it is another agent's. */
export async function leaveCgroup(link: string): Promise<void> {
  const directory = linkTarget(link)
  try {
    if (directory !== undefined) await rmdir(directory)
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code === 'EBUSY') return
    if (code !== 'ENOENT' && code !== 'ENODEV') throw cause
  }
  await rm(link, { force: true })
}

/** CPU time of all that ever was in the run's cgroup, in ms; undefined without one. */
export function cgroupCpuMs(runDir: string): number | undefined {
  const text = readIfThere(join(runDir, 'cgroup', 'cpu.stat'))
  const usec = /^usage_usec (\d+)$/m.exec(text ?? '')?.[1]
  return usec === undefined ? undefined : Math.round(Number(usec) / 1000)
}

const removalTries = 200
const removalPauseMs = 10

/** Kills who is left in the run's cgroup and removes it; again and again is once. @throws when it cannot be emptied in 2 s */
export async function removeCgroup(runDir: string): Promise<void> {
  for (const name of await namesIn(runDir)) {
    const directory = /^cgroup(-|$)/.test(name) ? linkTarget(join(runDir, name)) : undefined
    if (directory !== undefined) await removeDirectory(directory)
  }
}

async function removeDirectory(directory: string): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      return await killAndRemove(directory)
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException
      if (code === 'ENOENT' || code === 'ENODEV') return // gone, by a boot of the host for one
      if (code !== 'EBUSY' || tries === removalTries) throw cause
      await pause(removalPauseMs) // the killed are still dying
    }
  }
}

/** Most often nobody is left. */
async function killAndRemove(directory: string): Promise<void> {
  try {
    rmdirSync(directory) // the kernel's own memory: no disk is waited for
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EBUSY') throw cause
    await writeFile(join(directory, 'cgroup.kill'), '1', { flag: 'r+' })
    await removeTree(directory)
  }
}

/** What ran in it may have made cgroups of its own. */
async function removeTree(directory: string): Promise<void> {
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    if (entry.isDirectory()) await removeTree(join(directory, entry.name))
  }
  await rmdir(directory)
}

function linkTarget(path: string): string | undefined {
  try {
    return readlinkSync(path)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw cause
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENODEV' || code === 'ENOTDIR') return undefined
    throw cause
  }
}
