/** How much memory the processes of a run hold, as /proc says. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { groupMembers } from './process-group.js'

export interface RunMemory {
  /** Resident memory of all of them now, bytes; pages they share count for each. */
  rssBytes: number
  /** The most that one of them ever had, bytes. */
  highestBytes: number
}

/** Of all in the run's cgroup, or where it has none, in its supervisor's group; the supervisor itself left out. */
export function measureMemory(runDir: string, supervisorPid: number): RunMemory {
  const inCgroup = textOf(join(runDir, 'cgroup', 'cgroup.procs'))
    .split('\n')
    .filter(Boolean)
    .map(Number)
  const pids = inCgroup.length > 0 ? inCgroup : groupMembers(supervisorPid)
  const memory: RunMemory = { rssBytes: 0, highestBytes: 0 }
  for (const pid of pids) {
    if (pid === supervisorPid) continue
    const status = textOf(`/proc/${pid}/status`)
    memory.rssBytes += bytesOf(status, 'VmRSS')
    memory.highestBytes = Math.max(memory.highestBytes, bytesOf(status, 'VmHWM'))
  }
  return memory
}

/** 0 for a process that has no memory any more. */
function bytesOf(status: string, field: string): number {
  return 1024 * Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1] ?? 0)
}

/** Empty when there is no such file, or its process ended just now. */
function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return '' // that is the answer
  }
}
