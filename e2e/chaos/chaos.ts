/** The suite: rounds over one fleet until enough tasks ran. A round that breaks something leaves its logs, and a fresh fleet goes on. */
import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Fleet } from './fleet.js'
import { Random } from './random.js'
import { drawRound, type RoundPlan, type RoundResult, runRound } from './round.js'
import type { FaultKind } from './schedule.js'
import { addRound, newTally, type Tally } from './tally.js'

export interface ChaosOptions {
  readonly seed: string
  /** Tasks in all. */
  readonly runs: number
  readonly tasksPerRound: number
  /** Leaves data, logs and evidence of rounds in which all held, too. */
  readonly keep?: boolean
  /** Only this round, to see it again. */
  readonly onlyRound?: number
  /** No round begins after this. */
  readonly untilMs?: number
  readonly without: ReadonlySet<FaultKind>
  /** One line about what is going on. */
  say(line: string): void
}

const leaseMs = 3_000
const agents = ['agent-1', 'agent-2', 'agent-3', 'agent-4', 'agent-5', 'agent-6']
const smallDisk = 'agent-6'
/** Then a fresh one: agents keep what is over for a day, and after each restore they send all of it again. */
const roundsPerFleet = 5

export async function runChaos(options: ChaosOptions): Promise<Tally> {
  const tally = newTally(options.seed)
  const random = new Random(options.seed)
  const rounds = Math.ceil(options.runs / options.tasksPerRound)
  const numbers =
    options.onlyRound === undefined ? Array.from({ length: rounds }, (_, index) => index + 1) : [options.onlyRound]
  const startedAt = performance.now()
  let left = options.runs
  let stage: Stage | undefined
  try {
    for (const number of numbers) {
      if (performance.now() - startedAt > (options.untilMs ?? Number.POSITIVE_INFINITY)) break
      if (stage !== undefined && stage.rounds >= roundsPerFleet) {
        await close(stage, options)
        stage = undefined
      }
      stage ??= await openStage(options, tally)
      stage.rounds++
      const tasks = options.onlyRound === undefined ? Math.min(left, options.tasksPerRound) : options.tasksPerRound
      left -= tasks
      const plan = drawRound(random, number, {
        agents,
        smallDisk,
        forMs: tasks * 250,
        leaseMs,
        rate: 1,
        without: options.without,
        tasks,
      })
      const isWhole = await play(stage, plan, tally, options)
      if (!isWhole) {
        await abandon(stage, options)
        stage = undefined
      }
    }
    if (stage !== undefined) await close(stage, options)
  } catch (error) {
    if (stage !== undefined) {
      options.say(`the fleet's data and logs are in ${stage.home}`)
      await abandon(stage, options)
    }
    throw error
  }
  return tally
}

interface Stage {
  readonly home: string
  readonly fleet: Fleet
  rounds: number
}

async function openStage({ say }: ChaosOptions, tally: Tally): Promise<Stage> {
  const home = await mkdtemp(join(await realpath(tmpdir()), 'iac-chaos-'))
  const fleet = await Fleet.start({ home, agents, smallDisk, leaseMs })
  const { disk } = fleet.agent(smallDisk)
  if (typeof disk === 'string') tally.notRun['disk full'] = disk
  say(`fleet of ${agents.length} agents in ${home}`)
  return { home, fleet, rounds: 0 }
}

/** False when something broke. */
async function play(
  { home, fleet }: Stage,
  plan: RoundPlan,
  tally: Tally,
  { say, seed, keep }: ChaosOptions,
): Promise<boolean> {
  const startedAt = performance.now()
  await writeFile(join(home, `round-${plan.number}.json`), JSON.stringify(plan, null, 1))
  const result = await runRound(fleet, plan)
  addRound(tally, result)
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
  const facts = `round ${plan.number}: ${result.evidence.tasks.length} tasks, ${result.evidence.struck.length} faults, ${seconds} s`
  const isWhole = result.breaches.length === 0
  if (keep || !isWhole)
    await writeFile(join(home, `round-${plan.number}-evidence.json`), JSON.stringify(forFile(result), null, 1))
  if (isWhole) {
    say(`${facts}, whole (${tally.runs} runs)`)
    return true
  }
  say(`${facts}, ${result.breaches.length} breaches:`)
  for (const { kind, size, what } of result.breaches.slice(0, 40)) say(`  ${kind} (${size}): ${what}`)
  say(`  again: pnpm chaos --seed ${seed} --round ${plan.number}; schedule, evidence, data and logs: ${home}`)
  return false
}

function forFile({ evidence, breaches, heals }: RoundResult): object {
  const workspaces = evidence.workspaces.map((one) => ({ ...one, current: [...(one.current ?? [])] }))
  return { breaches, heal_ms: Object.fromEntries(heals), ...evidence, workspaces }
}

async function close({ home, fleet }: Stage, { keep }: ChaosOptions): Promise<void> {
  await fleet[Symbol.asyncDispose]()
  if (!keep) await rm(home, { recursive: true, force: true, maxRetries: 3 })
}

/** The programs end; what they leave stays for a person. */
async function abandon({ fleet }: Stage, { say }: ChaosOptions): Promise<void> {
  await fleet.kill().catch((error: Error) => say(`  the broken fleet did not end well: ${error.message}`))
}
