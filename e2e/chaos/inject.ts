/** Strikes a fleet with the faults of a schedule. */
import { setMaxListeners } from 'node:events'
import { readdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as elapsed } from 'node:timers/promises'
import { assertNever } from '@iac-agent/protocol'
import { backUp, restore } from './backup.js'
import type { Fleet } from './fleet.js'
import { liveRuns } from './live-runs.js'
import type { Restore } from './restores.js'
import type { Fault, FaultKind } from './schedule.js'
import { SmallDisk } from './small-disk.js'

/** A fault that struck; `at` and `until` in epoch ms. */
export interface Struck {
  readonly fault: Fault
  readonly at: number
  readonly until: number
  /** of a terraform that was killed: `<task>-<attempt>` and the run */
  readonly victim?: { readonly attempt: string; readonly run: string; readonly pid: number }
  /** of a full disk: the attempts that were on it */
  readonly onFullDisk?: readonly string[]
  /** of a restore */
  readonly restore?: Restore
}

type Mark = Pick<Struck, 'victim' | 'onFullDisk' | 'restore'>

/**
 * Strikes each fault at its time and takes it back at its end. Resolves when all are over and taken back; an abort takes them back at
 * once and leaves the rest out.
 */
export async function inject(fleet: Fleet, faults: readonly Fault[], signal: AbortSignal): Promise<Struck[]> {
  setMaxListeners(0, signal)
  const startedAt = performance.now()
  const ends = new Map<string, Promise<unknown>>()
  const struck: Struck[] = []
  const strikes = faults.map((fault) => {
    const lane = `${fault.target} ${familyOf(fault.kind)}`
    const before = ends.get(lane)
    const end = (async () => {
      await before
      await wait(fault.atMs - (performance.now() - startedAt), signal)
      if (signal.aborted) return
      const at = Date.now()
      const mark = await strike(fleet, fault, signal)
      if (mark !== undefined) struck.push({ fault, at, until: Date.now(), ...mark })
    })()
    ends.set(lane, end)
    return end
  })
  await Promise.all(strikes)
  return struck
}

/** Faults of one family on one target never overlap. */
function familyOf(kind: FaultKind): string {
  return kind.split(' ')[0] ?? kind
}

/** Undefined: there was nothing to strike. */
async function strike(fleet: Fleet, fault: Fault, signal: AbortSignal): Promise<Mark | undefined> {
  const { kind, target, lengthMs, amount } = fault
  const lasts = () => wait(lengthMs, signal)
  const attemptsOf = (name: string) => readdir(join(fleet.agent(name).dataDir, 'attempts'))
  switch (kind) {
    case 'agent kill': {
      const { life } = fleet.agent(target)
      await life.kill()
      await lasts()
      await life.launch()
      return {}
    }
    case 'agent detach': {
      const { life } = fleet.agent(target)
      await life.detach()
      await lasts()
      await life.launch()
      return {}
    }
    case 'agent stop':
      return await stopped(fleet.agent(target).life.pid, lasts)
    case 'server kill':
      await fleet.serverLife.kill()
      await lasts()
      await fleet.serverLife.launch()
      return {}
    case 'server stop':
      return await stopped(fleet.serverLife.pid, lasts)
    case 'server restore': {
      const backup = await backUp(fleet.server, join(fleet.home, `backup-${Date.now()}.sqlite`))
      await lasts()
      await fleet.serverLife.kill()
      const done = { startedAt: backup.startedAt, endedAt: backup.endedAt, downAt: Date.now() }
      fleet.restores.push(done)
      await restore(fleet.server, backup.file)
      await rm(backup.file)
      await fleet.serverLife.launch()
      return { restore: done }
    }
    case 'terraform kill':
    case 'terraform stop': {
      const runs = await liveRuns(fleet.agent(target).dataDir)
      const victim = runs[Math.floor(amount * runs.length)]
      if (victim === undefined) return undefined
      if (kind === 'terraform stop') return await stopped(victim.pid, lasts)
      return tell(victim.pid, 'SIGKILL') ? { victim } : undefined
    }
    case 'disk full': {
      const { disk } = fleet.agent(target)
      if (!(disk instanceof SmallDisk)) return undefined
      const before = await attemptsOf(target)
      await disk.fill()
      await lasts()
      const after = await attemptsOf(target)
      await disk.free()
      return { onFullDisk: [...new Set([...before, ...after])] }
    }
    case 'clock step': {
      const file = target === 'server' ? fleet.serverClock : fleet.agent(target).clockFile
      await setClock(file, amount)
      await lasts()
      await setClock(file, 0)
      return {}
    }
    default:
      return await breakNetwork(fleet, { ...fault, kind }, lasts)
  }
}

async function breakNetwork(
  fleet: Fleet,
  { kind, target, amount }: Fault & { kind: FaultKind & `net ${string}` },
  lasts: () => Promise<void>,
): Promise<Mark> {
  const network = fleet.network(target)
  switch (kind) {
    case 'net cut':
      network.cut()
      break
    case 'net reset':
      network.reset()
      break
    case 'net refuse':
      network.refuse(true)
      network.reset()
      break
    case 'net blackhole':
      network.blackhole((['both', 'up', 'down'] as const)[amount] ?? 'both')
      break
    case 'net delay':
      network.delay(amount)
      break
    case 'net throttle':
      network.throttle(amount)
      break
    case 'net cut after':
      network.cutAfter(amount)
      break
    case 'net duplicate':
      network.duplicate()
      break
    default:
      return assertNever(kind)
  }
  await lasts()
  network.heal()
  return {}
}

/** Its readers must never see a half of it. */
async function setClock(file: string, offsetMs: number): Promise<void> {
  await writeFile(`${file}.new`, String(offsetMs))
  await rename(`${file}.new`, file)
}

async function stopped(pid: number, lasts: () => Promise<void>): Promise<Mark | undefined> {
  if (!tell(pid, 'SIGSTOP')) return undefined
  await lasts()
  tell(pid, 'SIGCONT')
  return {}
}

/** False when the process is gone. */
function tell(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
    throw error
  }
}

async function wait(ms: number, signal: AbortSignal): Promise<void> {
  if (ms <= 0 || signal.aborted) return
  await elapsed(ms, undefined, { signal }).catch((error: unknown) => {
    if (!signal.aborted) throw error // the abort is what the caller asked for
  })
}
