/** The two lengths of a scenario: the real one with IAC_E2E_LONG=1; else a short one, with the limits scaled down by settings. */
import { setTimeout as elapsed } from 'node:timers/promises'

export const isLong = process.env.IAC_E2E_LONG === '1'

/** What a scenario counts or waits, by its length. */
export function byLength<T>(lengths: { short: T; long: T }): T {
  return isLong ? lengths.long : lengths.short
}

/** Leases and heartbeats: the product's own in the long form. */
export const leaseMs = byLength({ short: 5_000, long: 60_000 })
const heartbeatMs = byLength({ short: 500, long: 10_000 })
export const scaledServer = ['--lease-ttl', `${leaseMs}ms`, '--heartbeat-interval', `${heartbeatMs}ms`]

/** For faults that are nothing but time: an outage is over when it has lasted so long. */
export async function lasting(ms: number): Promise<void> {
  await elapsed(ms)
}
