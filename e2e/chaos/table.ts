/** The outcome as people read it, and as machines do. */
import { machine, percentile } from '@iac-agent/testkit'
import type { Tally } from './tally.js'

/** `wallMs`: from the first round to the last. */
export function outcome(tally: Tally, wallMs: number, terraform: string) {
  const { healMs, ...counts } = tally
  const healed = (share: number) => (healMs.length === 0 ? null : percentile(healMs, share))
  const heal = { tasks: healMs.length, p50_ms: healed(0.5), p99_ms: healed(0.99) }
  return { ...counts, heal, wall_ms: Math.round(wallMs), machine: machine(), terraform }
}

export function table(result: ReturnType<typeof outcome>): string {
  const { faults, breaches, heal } = result
  const total = Object.values(faults).reduce((sum, count) => sum + count, 0)
  const rows: [string, string | number][] = [
    ['runs', `${result.runs} in ${result.rounds} rounds, ${result.realRuns} with the real terraform`],
    ['faults', total],
    ...Object.entries(faults)
      .sort()
      .map(([kind, count]): [string, number] => [`  ${kind}`, count]),
    ...Object.entries(result.notRun).map(([kind, why]): [string, string] => [`  ${kind}`, `not run, ${why}`]),
    ...Object.entries(breaches),
    ['log bytes compared', result.logBytesCompared],
    ['states compared', result.statesCompared],
    [
      'healing to final',
      `p50 ${heal.p50_ms ?? '-'} ms, p99 ${heal.p99_ms ?? '-'} ms (${heal.tasks} tasks that ran at healing)`,
    ],
    ['wall time', `${(result.wall_ms / 1000).toFixed(1)} s`],
    ['seed', result.seed],
    ['machine', result.machine],
    ['terraform', result.terraform],
  ]
  return rows.map(([name, value]) => `${name.padEnd(20)} ${value}`).join('\n')
}
