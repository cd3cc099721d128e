/** CPU time of a run that has ended, as the kernel counted it. */
import { cgroupCpuMs } from './cgroup.js'
import { readRun } from './run-facts.js'

/** /proc counts CPU time in these on every Linux we run on. */
const tickMs = 10

/**
 * User and system time of terraform and what it started, in ms: all that was in the run's cgroup, else what the supervisor found when
 * terraform had ended. Undefined when neither is known, because the supervisor was killed.
 */
export async function cpuMs(runDir: string): Promise<number | undefined> {
  const counted = [cgroupCpuMs(runDir), await waitedMs(runDir)].filter((ms) => ms !== undefined)
  return counted.length === 0 ? undefined : Math.max(...counted) // a cgroup that nobody could enter counts 0
}

async function waitedMs(runDir: string): Promise<number | undefined> {
  const { cpuTicks } = await readRun(runDir)
  return cpuTicks === undefined ? undefined : cpuTicks * tickMs
}
