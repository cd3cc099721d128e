/** How busy the machine is, in percent: what heartbeats tell placement. */
import { cpus, freemem, totalmem } from 'node:os'

export interface Usage {
  /** of all CPUs since the sample before, 0 to 100 */
  cpu_usage: number
  /** not available to new processes, 0 to 100 */
  mem_usage: number
}

export class HostUsage {
  #before: CpuTimes = { busyMs: 0, allMs: 0 }

  /** The first sample counts from the machine's start. */
  sample(): Usage {
    const now = cpuTimes()
    const allMs = now.allMs - this.#before.allMs
    const busyMs = now.busyMs - this.#before.busyMs
    if (allMs > 0) this.#before = now
    const total = totalmem()
    return { cpu_usage: percent(busyMs, allMs), mem_usage: percent(total - freemem(), total) }
  }
}

interface CpuTimes {
  busyMs: number
  allMs: number
}

function cpuTimes(): CpuTimes {
  let busyMs = 0
  let allMs = 0
  for (const { times } of cpus()) {
    const busy = times.user + times.nice + times.sys + times.irq
    busyMs += busy
    allMs += busy + times.idle
  }
  return { busyMs, allMs }
}

function percent(part: number, whole: number): number {
  if (whole <= 0) return 0
  return Math.round(Math.min(Math.max(part / whole, 0), 1) * 1000) / 10
}
