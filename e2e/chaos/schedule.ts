/** The faults of a round, drawn up front: when, what, whom, how long. Nothing here depends on what happens while they strike. */
import type { Random } from './random.js'

/** Every kind of fault, with what `amount` means to it. */
export const allFaultKinds = [
  /** SIGKILL; started again after `lengthMs` */
  'agent kill',
  /** two signals: it leaves what runs to its successor, who comes after `lengthMs` */
  'agent detach',
  /** SIGSTOP, and SIGCONT after `lengthMs` */
  'agent stop',
  'server kill',
  'server stop',
  /** a backup, and after `lengthMs` SIGKILL, restore and start */
  'server restore',
  /** SIGKILL of one running terraform of the target; `amount`, from [0, 1), picks it */
  'terraform kill',
  'terraform stop',
  /** all connections of now end by FIN */
  'net cut',
  /** by RST */
  'net reset',
  /** and new ones are refused */
  'net refuse',
  /** bytes vanish: `amount` 0 both ways, 1 upwards, 2 downwards */
  'net blackhole',
  /** every byte is `amount` ms late */
  'net delay',
  /** `amount` bytes a second */
  'net throttle',
  /** the next connection that carried `amount` bytes upwards is reset in the middle */
  'net cut after',
  /** the next request is sent twice */
  'net duplicate',
  /** the target's disk has no byte free */
  'disk full',
  /** the target's wall clock jumps by `amount` ms, and back after `lengthMs` */
  'clock step',
] as const
export type FaultKind = (typeof allFaultKinds)[number]

/** One fault. Targets: `server`, `operator` (the network between it and the server) and agents by name. */
export interface Fault {
  readonly atMs: number
  readonly kind: FaultKind
  readonly target: string
  readonly lengthMs: number
  readonly amount: number
}

export interface ScheduleSize {
  readonly agents: readonly string[]
  /** Whose data directory is on a small disk of its own, if any. */
  readonly smallDisk: string | undefined
  /** Faults begin before this, and end by it. */
  readonly forMs: number
  readonly leaseMs: number
  /** How much is going on: 1 is the usual, 2 has faults twice as often. */
  readonly rate: number
  /** Kinds that are left out. */
  readonly without: ReadonlySet<FaultKind>
}

/** Faults of one lane follow each other and never overlap; lanes know nothing of each other. */
interface Lane {
  readonly target: string
  readonly meanGapMs: number
  readonly kinds: Partial<Record<FaultKind, number>>
}

/** In the order of their time. */
export function drawSchedule(random: Random, size: ScheduleSize): Fault[] {
  const faults = lanesOf(size).flatMap((lane) => {
    const kinds = Object.fromEntries(
      Object.entries(lane.kinds).filter(([kind]) => !size.without.has(kind as FaultKind)),
    )
    if (Object.keys(kinds).length === 0) return []
    return drawLane(random.fork(`${lane.target} ${Object.keys(lane.kinds).join()}`), { ...lane, kinds }, size)
  })
  return faults.sort((one, other) => one.atMs - other.atMs)
}

function lanesOf({ agents, smallDisk }: ScheduleSize): Lane[] {
  const network = {
    'net cut': 2,
    'net reset': 2,
    'net refuse': 2,
    'net blackhole': 3,
    'net delay': 2,
    'net throttle': 1,
    'net cut after': 2,
    'net duplicate': 2,
  } as const
  return [
    { target: 'server', meanGapMs: 4_000, kinds: { 'server kill': 5, 'server stop': 4, 'server restore': 2 } },
    { target: 'server', meanGapMs: 12_000, kinds: { 'clock step': 1 } },
    { target: 'operator', meanGapMs: 5_000, kinds: network },
    ...agents.flatMap((target): Lane[] => [
      { target, meanGapMs: 5_000, kinds: { 'agent kill': 5, 'agent stop': 4, 'agent detach': 1 } },
      { target, meanGapMs: 4_000, kinds: network },
      { target, meanGapMs: 4_000, kinds: { 'terraform kill': 1, 'terraform stop': 2 } },
      { target, meanGapMs: 15_000, kinds: { 'clock step': 1 } },
    ]),
    ...(smallDisk === undefined ? [] : [{ target: smallDisk, meanGapMs: 8_000, kinds: { 'disk full': 1 } as const }]),
  ]
}

function drawLane(random: Random, { target, meanGapMs, kinds }: Lane, size: ScheduleSize): Fault[] {
  const faults: Fault[] = []
  for (let atMs = 0; ; ) {
    atMs += Math.round((-Math.log(1 - random.unit()) * meanGapMs) / size.rate)
    const kind = random.weighted<FaultKind>(kinds)
    const lengthMs = Math.min(lengthOf(random, kind, size.leaseMs), size.forMs - atMs)
    const amount = amountOf(random, kind)
    if (lengthMs <= 0) return faults
    faults.push({ atMs, kind, target, lengthMs, amount })
    atMs += lengthMs
  }
}

/** With a lease of 60 s, an agent or server is away for 1 to 90 s; shorter leases, shorter faults. */
function lengthOf(random: Random, kind: FaultKind, leaseMs: number): number {
  const scale = leaseMs / 60_000
  if (kind === 'net cut' || kind === 'net reset' || kind === 'terraform kill') return 1
  if (kind === 'disk full') return random.int(1_000, 5_000)
  return random.logarithmic(1_000 * scale, 90_000 * scale)
}

function amountOf(random: Random, kind: FaultKind): number {
  switch (kind) {
    case 'terraform kill':
    case 'terraform stop':
      return random.unit()
    case 'net blackhole':
      return random.int(0, 2)
    case 'net delay':
      return random.logarithmic(5, 1_000)
    case 'net throttle':
      return random.logarithmic(2_000, 200_000)
    case 'net cut after':
      return random.logarithmic(100, 50_000)
    case 'clock step':
      return random.logarithmic(100, 90 * 24 * 3_600_000) * random.pick([-1, 1])
    default:
      return 0
  }
}
