/** Who is in a process group. A group lives on without its leader, and its number can be used again: ask only about a verified one. */
import { readdir, readFile } from 'node:fs/promises'

/** Pids of the group `pgid`, zombies left out. */
export async function groupMembers(pgid: number): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const found = await Promise.all(pids.map(async (pid) => ((await groupOf(pid)) === pgid ? Number(pid) : undefined)))
  return found.filter((pid) => pid !== undefined)
}

async function groupOf(pid: string): Promise<number | undefined> {
  let stat: string
  try {
    stat = await readFile(`/proc/${pid}/stat`, 'utf8')
  } catch {
    return undefined // ended between the listing and the look: it is in no group
  }
  // "pid (name) state ppid pgrp …": the name may hold brackets, so fields count from the last one.
  const [state, , group] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return state === 'Z' || state === 'X' ? undefined : Number(group)
}
