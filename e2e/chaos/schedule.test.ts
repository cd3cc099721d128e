import { randomBytes } from 'node:crypto'
import { expect, it } from 'vitest'
import { runChaos } from './chaos.js'
import { outcome, table } from './table.js'

const seed = process.env.IAC_CHAOS_SEED ?? randomBytes(4).toString('hex')

it(`nothing is lost, doubled or left behind in a minute of faults (IAC_CHAOS_SEED=${seed})`, {
  timeout: 600_000,
}, async () => {
  const startedAt = performance.now()
  const lines: string[] = []
  const tally = await runChaos({
    seed,
    runs: 1_000,
    tasksPerRound: 40,
    untilMs: 45_000,
    without: new Set(),
    say: (line) => lines.push(line),
  })
  console.log(table(outcome(tally, performance.now() - startedAt, 'as above')))
  expect(
    Object.entries(tally.breaches).filter(([, count]) => count > 0),
    lines.join('\n'),
  ).toEqual([])
  expect(tally.runs).toBeGreaterThanOrEqual(40)
})
