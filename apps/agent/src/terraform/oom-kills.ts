/** How many processes the kernel has killed because memory ran out. */
import { readFileSync } from 'node:fs'

/** Of the whole host since its boot, those of containers included; undefined where the kernel does not say (before 4.13). */
export function countOomKills(): number | undefined {
  try {
    return oomKillsIn(readFileSync('/proc/vmstat', 'utf8'))
  } catch {
    return undefined // not to be seen from here: nothing is proven then
  }
}

/** `oom_kill` of /proc/vmstat; pure. */
export function oomKillsIn(vmstat: string): number | undefined {
  const count = /^oom_kill (\d+)$/m.exec(vmstat)?.[1]
  return count === undefined ? undefined : Number(count)
}
