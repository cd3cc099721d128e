/** Which ports the state backend takes: not one the kernel may lend to an outgoing connection while no agent is there to hold it. */
import { randomInt } from 'node:crypto'
import { readFile } from 'node:fs/promises'

/** How many are tried before any free port will do. */
const tries = 16
const leastPort = 10_000

/** Ports to try in this order; 0, last, is any free one. */
export async function portsToTry(): Promise<number[]> {
  const above = firstLentPort(await readFile('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').catch(() => ''))
  if (above <= leastPort) return [0]
  return [...Array.from({ length: tries }, () => randomInt(leastPort, above)), 0]
}

/** The first port lent to outgoing connections, from the kernel's `first<TAB>last`; 0 when that cannot be read. */
export function firstLentPort(range: string): number {
  return Number(/^(\d+)\s+\d+\s*$/.exec(range)?.[1] ?? 0)
}
