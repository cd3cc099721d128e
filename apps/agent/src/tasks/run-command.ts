/** Runs one terraform command of an attempt under its supervisor, journaled before and after, cancellable in between. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { assertNever } from '@iac-agent/protocol'
import { type Command, commandOf, type FactOf, nextRunName, pendingRun } from '../journal/attempt-facts.js'
import type { Counts, Diagnostic, NewFact } from '../journal/attempt-record.js'
import { crashPoint, supervisorCrashPoint } from '../journal/crash-points.js'
import { runDirectory } from '../journal/layout.js'
import { countOomKills } from '../terraform/oom-kills.js'
import { claimRun, notStartedCode, readRun } from '../terraform/run-facts.js'
import { type RunEnd, SupervisedRun } from '../terraform/supervised-run.js'
import type { Attempt } from './attempt.js'
import { climbLadder } from './climb-ladder.js'
import { type Measured, measureEnd } from './measure-run.js'
import { isStopped } from './next-step.js'
import type { RunLimits } from './run-limits.js'
import { sizeOf } from './size-of.js'
import type { Supervisors } from './supervisors.js'
import { RunWatch } from './watch-run.js'

export interface CommandLine {
  command: Command
  /** Program first. */
  argv: readonly string[]
  cwd: string
  env: Record<string, string>
  supervisors: Supervisors
  /** Patience of the cancel ladder between its rungs. */
  cancelGraceMs: number
  limits: RunLimits
}

/** What is read off a finished command before its exit is recorded. */
export interface Reading {
  needsInit?: boolean
  counts?: Counts
  diagnostics?: Diagnostic[]
}

/**
 * Starts the command, or goes on with the one a former agent process started, waits for its end and records it as `exited`; as
 * `failed` too when it never ran, or nobody knows how it ended.
 * @param read looks at the end before it is recorded
 */
export async function runCommand(
  attempt: Attempt,
  line: CommandLine,
  read: (code: number, outputOffset: number) => Promise<Reading>,
): Promise<void> {
  const { run, outputOffset, oomKills } = await intend(attempt, line.command)
  const supervised = await startOrAdopt(attempt, run, line)
  crashPoint(`run.${line.command}.started`)
  line.supervisors.standBy() // for the next one
  const { end, peakRssBytes } = supervised ? await waitForEnd(attempt, run, supervised, line) : neverStarted
  crashPoint(`run.${line.command}.ended`)
  await recordEnd(attempt, {
    run,
    command: line.command,
    end,
    measure: () => measureEnd(runDirectory(attempt.parts.layout, run), peakRssBytes, oomKills),
    read: (code) => read(code, outputOffset),
  })
  crashPoint(`run.${line.command}.recorded`)
}

interface WatchedEnd {
  end: RunEnd
  peakRssBytes: number
}

const neverStarted: WatchedEnd = { end: { kind: 'not_started' }, peakRssBytes: 0 }

type Intent = Pick<FactOf<'spawning'>, 'run' | 'outputOffset' | 'oomKills'>

/** The run that is under way by the journal, else a new one, durable before anything is spawned. */
async function intend(attempt: Attempt, command: Command): Promise<Intent> {
  const { journal, layout } = attempt.parts
  const pending = pendingRun(journal.facts)
  if (pending) return pending
  const run = nextRunName(journal.facts, command)
  const directory = runDirectory(layout, run)
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const oomKills = countOomKills()
  const outputOffset = await sizeOf(layout.output)
  const intent = { run, outputOffset, ...(oomKills === undefined ? {} : { oomKills }) }
  await journal.append({ fact: 'spawning', ...intent })
  crashPoint(`run.${command}.intended`)
  return intent
}

/** All text of the attempt grows in one file; what `show` says is no part of the log. */
function outputOf({ parts: { layout } }: Attempt, run: string): string {
  return commandOf(run) === 'show' ? join(runDirectory(layout, run), 'output') : layout.output
}

/** Undefined: the attempt was stopped before anything was started, and now nothing will be. */
async function startOrAdopt(attempt: Attempt, run: string, line: CommandLine): Promise<SupervisedRun | undefined> {
  const runDir = runDirectory(attempt.parts.layout, run)
  if (isStopped(attempt.facts) && (await claimRun(runDir))) return undefined
  const { claim } = await readRun(runDir)
  if (claim) return new SupervisedRun(runDir)
  attempt.parts.log.info({ run, argv: line.argv }, 'command started')
  return await line.supervisors.start({
    runDir,
    output: outputOf(attempt, run),
    command: line.argv,
    cwd: line.cwd,
    env: line.env,
    crashPoint: supervisorCrashPoint(line.command),
  })
}

/** With the cancel ladder and the watch for limits beside it. */
async function waitForEnd(
  attempt: Attempt,
  run: string,
  supervised: SupervisedRun,
  { cancelGraceMs: graceMs, limits }: CommandLine,
): Promise<WatchedEnd> {
  const { leaving } = attempt.parts
  const done = new AbortController()
  const signal = AbortSignal.any([done.signal, leaving])
  const watch = new RunWatch(attempt, { run, supervised, limits })
  const beside = Promise.all([climbLadder(attempt, { run, supervised, graceMs, signal }), watch.run(signal)])
  try {
    return { end: await supervised.wait(leaving), peakRssBytes: watch.peakRssBytes }
  } finally {
    done.abort()
    await beside
  }
}

interface EndOfRun {
  run: string
  command: Command
  end: RunEnd
  measure(): Promise<Measured>
  read(code: number): Promise<Reading>
}

async function recordEnd(attempt: Attempt, { run, command, end, measure, read }: EndOfRun): Promise<void> {
  const { journal, log } = attempt.parts
  log.info({ run, ...end }, 'command ended')
  if (attempt.parts.ballast.isLow) await attempt.markTorn()
  switch (end.kind) {
    case 'exited':
      return await journal.append({
        fact: 'exited',
        run,
        code: end.exitCode,
        ...(await readIfPossible(attempt, measure)),
        ...(await readIfPossible(attempt, () => read(end.exitCode))),
      })
    case 'not_started':
      await journal.append({ fact: 'exited', run, code: notStartedCode })
      if (isStopped(journal.facts.slice(0, -1))) return
      return await journal.append(faultOf(`terraform ${command} was not started on the agent's host.`))
    case 'lost': {
      const { counts } = await readIfPossible(attempt, () => read(0))
      await journal.append({ fact: 'exited', run, code: unknownCode, ...(await readIfPossible(attempt, measure)) })
      return await journal.append(faultOf(lostSentence(command, counts)))
    }
    default:
      return assertNever(end)
  }
}

/** Only a command that succeeded prints counts. */
function lostSentence(command: Command, counts: Counts | undefined): string {
  const sentence = `The supervisor of terraform ${command} was killed, so its exit code is unknown`
  if (counts === undefined) return `${sentence}; how it ended is told by its log at best.`
  const { add, change, destroy } = counts
  return `${sentence}; its output says that it completed: ${add} added, ${change} changed, ${destroy} destroyed.`
}

/** What is told beside the end only explains it: what cannot be read must not keep the end from being recorded. */
async function readIfPossible<T>(attempt: Attempt, read: () => Promise<T>): Promise<Partial<T>> {
  try {
    return await read()
  } catch (error) {
    attempt.parts.log.warn({ err: error }, 'how the command ended cannot be read in full')
    return {}
  }
}

/** Stands for the exit code of a command whose supervisor was killed. */
const unknownCode = -1

function faultOf(message: string): NewFact {
  return { fact: 'failed', code: 'agent_fault', message }
}
