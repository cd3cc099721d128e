/** What a process of this machine uses, by /proc. */
import { readFile, writeFile } from 'node:fs/promises'

/** Ticks a second of the times in /proc: USER_HZ, 100 on every Linux that Node.js runs on. */
const ticksPerSecond = 100

export interface Usage {
  readonly rssKiB: number
  /** The most it ever had. */
  readonly peakRssKiB: number
  /** User and system time of all its threads so far. */
  readonly cpuSeconds: number
}

export async function usageOf(pid: number): Promise<Usage> {
  const [status, stat] = await Promise.all([
    readFile(`/proc/${pid}/status`, 'utf8'),
    readFile(`/proc/${pid}/stat`, 'utf8'),
  ])
  const kib = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1])
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const cpuSeconds = (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
  return { rssKiB: kib('VmRSS'), peakRssKiB: kib('VmHWM'), cpuSeconds }
}

/** Its peak is what it has now (proc(5): 5 resets VmHWM). */
export async function resetPeak(pid: number): Promise<void> {
  await writeFile(`/proc/${pid}/clear_refs`, '5')
}
