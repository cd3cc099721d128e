/** What all rounds add up to: the numbers of the table. */
import type { Breach } from './evidence.js'
import type { RoundResult } from './round.js'
import type { FaultKind } from './schedule.js'

export interface Tally {
  readonly seed: string
  runs: number
  rounds: number
  realRuns: number
  readonly faults: Partial<Record<FaultKind, number>>
  readonly breaches: Record<Breach['kind'], number>
  logBytesCompared: number
  statesCompared: number
  /** Of tasks that ran when all was healed; ms. */
  readonly healMs: number[]
  /** Kinds that could not be done here, each with its reason. */
  readonly notRun: Record<string, string>
}

export function newTally(seed: string): Tally {
  const breaches = {
    'lost bytes': 0,
    'doubled bytes': 0,
    'wrong logs': 0,
    'lost states': 0,
    'wrong states': 0,
    'double starts': 0,
    'unconfirmed starts': 0,
    'wrong ends': 0,
    'stuck tasks': 0,
    'lost acknowledged': 0,
    orphans: 0,
    'locked workspaces': 0,
    'died by itself': 0,
  }
  return {
    seed,
    runs: 0,
    rounds: 0,
    realRuns: 0,
    faults: {},
    breaches,
    logBytesCompared: 0,
    statesCompared: 0,
    healMs: [],
    notRun: {},
  }
}

export function addRound(tally: Tally, { evidence, breaches, heals }: RoundResult): void {
  const { tasks, struck } = evidence
  tally.rounds++
  tally.runs += tasks.length
  tally.realRuns += tasks.filter(({ history }) => 'real' in history.workspace.module).length
  for (const { fault } of struck) tally.faults[fault.kind] = (tally.faults[fault.kind] ?? 0) + 1
  for (const { kind, size } of breaches) tally.breaches[kind] += size
  for (const { logs, runs } of tasks) {
    for (const { text } of logs) tally.logBytesCompared += Buffer.byteLength(text)
    for (const { posted } of runs) tally.statesCompared += posted.length
  }
  tally.healMs.push(...heals.values())
}
