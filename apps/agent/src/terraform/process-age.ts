/** How long a process has lived, by a clock that nobody can set; the same for every agent process that asks. */
import { identityOf, type ProcessIdentity } from '../journal/process-identity.js'

/** Start times in /proc count in these. */
const tickMs = 10

/** Milliseconds since the process of `identity`, of this boot, began. */
export async function ageMs(identity: ProcessIdentity): Promise<number> {
  const me = await identityOf(process.pid)
  // Our own age is monotonic, and start times have one origin: /proc/uptime, which containers replace, is not needed.
  return process.uptime() * 1000 + (Number(me?.start ?? identity.start) - Number(identity.start)) * tickMs
}
