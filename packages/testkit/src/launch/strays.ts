/** Processes that still work inside a test's directory: what an agent or a terraform left behind. */
import { readdir, readlink } from 'node:fs/promises'
import { join } from 'node:path'

/** Pids whose current directory is `directory` or below it. */
export async function processesIn(directory: string): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const homes = await Promise.all(pids.map(async (pid) => ({ pid: Number(pid), cwd: await cwdOf(pid) })))
  return homes.filter(({ cwd }) => cwd === directory || cwd.startsWith(`${directory}/`)).map(({ pid }) => pid)
}

/** Ends what is left in a temporary directory before it is removed; answers how many there were. */
export async function endStrays(directory: string): Promise<number> {
  const pids = await processesIn(directory)
  for (const pid of pids) kill(pid)
  return pids.length
}

/** Empty for a process that ended meanwhile or is not ours to look at. */
function cwdOf(pid: string): Promise<string> {
  return readlink(join('/proc', pid, 'cwd')).catch(() => '')
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error // gone: what we wanted
  }
}
