/**
 * Ports that no process is given by chance: outside the range from which the kernel serves connections and listeners that name none. A
 * backend's port must still be free when a new agent process comes back to it, hours later.
 */
import { readFileSync } from 'node:fs'

export interface PortRange {
  readonly first: number
  readonly last: number
}

/** Of the ports outside the kernel's own range: the upper ones, else lower ones that few services use. */
const upper = 65_535
const lower = 20_000
const leastWide = 1_000

/** Undefined where the kernel's range leaves none. */
export function quietPorts(kernels: PortRange): PortRange | undefined {
  const ranges = [
    { first: kernels.last + 1, last: upper },
    { first: lower, last: kernels.first - 1 },
  ]
  return ranges.find(({ first, last }) => last - first + 1 >= leastWide)
}

/** Some of them, drawn at random; none where there are none, or the kernel does not say. */
export function drawQuietPorts(count: number, random: () => number = Math.random): number[] {
  const quiet = quietPorts(kernelPorts())
  if (quiet === undefined) return []
  const width = quiet.last - quiet.first + 1
  return Array.from({ length: count }, () => quiet.first + Math.floor(random() * width))
}

function kernelPorts(): PortRange {
  const text = rangeText()
  const [first = Number.NaN, last = Number.NaN] = text.trim().split(/\s+/).map(Number)
  return Number.isInteger(first) && Number.isInteger(last) ? { first, last } : { first: 32_768, last: 60_999 }
}

function rangeText(): string {
  try {
    return readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8')
  } catch {
    return '32768 60999' // Linux's default
  }
}
