/** What a run that has ended used of this host, and whether the host ran out of memory meanwhile. */
import { totalmem } from 'node:os'
import type { Used } from '../journal/attempt-record.js'
import { countOomKills } from '../terraform/oom-kills.js'
import { cpuMs } from '../terraform/run-cpu.js'

/** Goes into the run's `exited`. */
export interface Measured {
  used: Used
  /** Processes of the host that the kernel killed for want of memory since the run began; absent when there were none. */
  oomKills?: number
  hostMemoryBytes: number
}

/** @param oomKillsBefore the host's count when the run began; undefined when it was not known */
export async function measureEnd(
  runDir: string,
  peakRssBytes: number,
  oomKillsBefore: number | undefined,
): Promise<Measured> {
  const time = await cpuMs(runDir)
  const oomKills = (countOomKills() ?? 0) - (oomKillsBefore ?? Infinity)
  return {
    used: { ...(peakRssBytes === 0 ? {} : { peakRssBytes }), ...(time === undefined ? {} : { cpuMs: time }) },
    ...(oomKills > 0 ? { oomKills } : {}),
    hostMemoryBytes: memoryOfHost(),
  }
}

/** Of the machine, or of the container this agent is in. */
function memoryOfHost(): number {
  const most = process.constrainedMemory()
  return most > 0 && most < totalmem() ? most : totalmem()
}
