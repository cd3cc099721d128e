/**
 * Who a process is, beyond its number: `pid:start:boot` (start time in clock ticks, boot id of the kernel), as supervise.sh writes it.
 * /proc is read without awaiting: no disk is behind it, and to hand that to another thread costs 200 µs.
 */
import { readFileSync } from 'node:fs'

export interface ProcessIdentity {
  pid: number
  /** Field 22 of /proc/PID/stat. */
  start: string
  boot: string
}

/** Writes an identity the way a claim link holds it. */
export function formatIdentity(identity: ProcessIdentity): string {
  return `${identity.pid}:${identity.start}:${identity.boot}`
}

/** Reads what a claim link holds; undefined when it is not an identity. */
export function parseIdentity(text: string): ProcessIdentity | undefined {
  const match = /^(\d+):(\d+):([0-9a-f-]+)$/.exec(text.trim())
  if (!match) return undefined
  const [, pid = '', start = '', boot = ''] = match
  return { pid: Number(pid), start, boot }
}

/** Identity of the process now living under `pid`; undefined when there is none, or only its zombie. */
export async function identityOf(pid: number): Promise<ProcessIdentity | undefined> {
  const stat = readStat(pid)
  if (!stat || stat.state === 'Z' || stat.state === 'X') return undefined
  return { pid, start: stat.start, boot: bootId() }
}

/** True while the very process of `identity` (not a later one of the same number) lives. */
export async function isAlive(identity: ProcessIdentity): Promise<boolean> {
  const now = await identityOf(identity.pid)
  return now !== undefined && now.start === identity.start && now.boot === identity.boot
}

let ownBoot: string | undefined

/** The kernel's boot id: changes with every boot of the host, which no process survives. */
function bootId(): string {
  ownBoot ??= readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  return ownBoot
}

function readStat(pid: number): { state: string; start: string } | undefined {
  let text: string
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'utf8')
  } catch {
    return undefined // no such process: that is the answer
  }
  // The command name may hold spaces and brackets: fields count from the last one.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return { state: fields[0] ?? '', start: fields[19] ?? '' }
}
