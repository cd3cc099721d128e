/** `pnpm chaos`: argv to the suite, its outcome to stdout and the exit code. */
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { parseArgs } from 'node:util'
import { runChaos } from './chaos.js'
import { allFaultKinds, type FaultKind } from './schedule.js'
import { outcome, table } from './table.js'

const help = `Runs tasks over a fleet of agents while everything around them fails, and checks that nothing is lost, nothing counts twice and
nothing is left behind.

  pnpm chaos [--runs N] [--seed S] [--round R] [--batch N] [--only KINDS | --without KINDS] [--keep] [--json]

  --runs N         tasks in all (default 100)
  --seed S         draws the same tasks and faults again (default: a new one, printed)
  --round R        only this round of the seed
  --batch N        tasks per round (default 50)
  --only KINDS     these faults alone, with commas between them
  --without KINDS  all but these
  --keep           leaves data, logs and evidence of rounds in which all held, too
  --json           the outcome as one JSON document on stdout; progress goes to stderr either way

Kinds: ${allFaultKinds.join(', ')}

Examples:
  $ pnpm chaos --runs 2000
  $ pnpm chaos --seed 9f3c --round 7            # see it again
  $ pnpm chaos --only "agent kill,server kill" --runs 20

Exit code 0: all held. 1: something broke (its logs stay, the lines name them). 2: wrong usage.`

process.exitCode = await main()

async function main(): Promise<number> {
  const options = readOptions()
  if (typeof options === 'string') {
    console.error(options)
    return 2
  }
  if (options.help) {
    console.log(help)
    return 0
  }
  const { runs, seed, batch, round, keep, without } = options
  const startedAt = performance.now()
  const say = (line: string) =>
    console.error(`${((performance.now() - startedAt) / 1000).toFixed(0).padStart(5)} s  ${line}`)
  say(`seed ${seed}`)
  const tally = await runChaos({
    seed,
    keep,
    runs,
    tasksPerRound: batch,
    without,
    say,
    ...(round === undefined ? {} : { onlyRound: round }),
  })
  const result = outcome(tally, performance.now() - startedAt, terraformVersion())
  console.log(options.json ? JSON.stringify(result, null, 2) : table(result))
  return Object.values(tally.breaches).every((count) => count === 0) ? 0 : 1
}

/** A sentence when they are wrong. */
function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        runs: { type: 'string', default: '100' },
        seed: { type: 'string', default: randomBytes(4).toString('hex') },
        round: { type: 'string' },
        batch: { type: 'string', default: '50' },
        only: { type: 'string' },
        without: { type: 'string' },
        keep: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    })
    const { seed, keep, json, help, round } = values
    return {
      ...{ seed, keep, json, help },
      runs: wholeNumber('--runs', values.runs),
      batch: wholeNumber('--batch', values.batch),
      round: round === undefined ? undefined : wholeNumber('--round', round),
      without: leftOut(values.only, values.without),
    }
  } catch (error) {
    return `${(error as Error).message} (see --help)`
  }
}

function wholeNumber(flag: string, text: string): number {
  const number = Number(text)
  if (Number.isSafeInteger(number) && number > 0) return number
  throw new Error(`${flag} takes a whole number above 0, not "${text}"`)
}

function leftOut(only: string | undefined, without: string | undefined): Set<FaultKind> {
  const named = (list: string) => list.split(',').map((name) => kindOf(name.trim()))
  const wanted = only === undefined ? undefined : named(only)
  return new Set([
    ...allFaultKinds.filter((kind) => wanted && !wanted.includes(kind)),
    ...(without === undefined ? [] : named(without)),
  ])
}

function kindOf(name: string): FaultKind {
  const kind = allFaultKinds.find((one) => one === name)
  if (kind === undefined) throw new Error(`there is no fault "${name}"`)
  return kind
}

function terraformVersion(): string {
  return (
    execFileSync('terraform', ['version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).split(
      '\n',
      1,
    )[0] ?? ''
  )
}
