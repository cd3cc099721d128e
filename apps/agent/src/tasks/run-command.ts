/** Runs one terraform command of an attempt under its supervisor, journaled before and after, cancellable in between. */
import { mkdir, symlink } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { type Command, nextRunName, runsOf } from '../journal/attempt-facts.js'
import type { Counts, Diagnostic } from '../journal/attempt-record.js'
import { crashPoint } from '../journal/crash-points.js'
import { runDirectory } from '../journal/layout.js'
import { readRun } from '../terraform/run-facts.js'
import { type RunEnd, SupervisedRun, startRun } from '../terraform/supervisor.js'
import type { Attempt } from './attempt.js'
import { climbLadder } from './climb-ladder.js'
import { sizeOf } from './size-of.js'
import { StepFailure } from './step-failure.js'

export interface CommandLine {
  command: Command
  /** Program first. */
  argv: readonly string[]
  cwd: string
  env: Record<string, string>
  /** Path of supervise.sh. */
  script: string
  /** Patience of the cancel ladder between its rungs. */
  cancelGraceMs: number
}

/** What is read off a finished command before its exit is recorded. */
export interface Reading {
  needsInit?: boolean
  counts?: Counts
  diagnostics?: Diagnostic[]
}

/**
 * Starts the command, or goes on with the one a former agent process started, waits for its end and records it as `exited`.
 * @param read looks at the end before it is recorded
 * @throws StepFailure when the command never ran, or nobody knows how it ended
 */
export async function runCommand(
  attempt: Attempt,
  line: CommandLine,
  read: (code: number, outputOffset: number) => Promise<Reading>,
): Promise<void> {
  const { journal, leaving, log } = attempt.parts
  const { run, outputOffset } = await intend(attempt, line.command)
  const supervised = await startOrAdopt(attempt, run, line)
  crashPoint(`run.${line.command}.started`)
  const done = new AbortController()
  const ladder = climbLadder(attempt, {
    run,
    supervised,
    graceMs: line.cancelGraceMs,
    signal: AbortSignal.any([done.signal, leaving]),
  })
  let end: RunEnd
  try {
    end = await supervised.wait(leaving)
  } finally {
    done.abort()
    await ladder
  }
  crashPoint(`run.${line.command}.ended`)
  const code = codeOf(end, line.command)
  log.info({ run, code }, 'command ended')
  await journal.append({ fact: 'exited', run, code, ...(await read(code, outputOffset)) })
  crashPoint(`run.${line.command}.recorded`)
}

/** The run that is under way by the journal, else a new one, durable before anything is spawned. */
async function intend(attempt: Attempt, command: Command): Promise<{ run: string; outputOffset: number }> {
  const { journal, layout } = attempt.parts
  const pending = journal.facts.find(
    (fact) =>
      fact.fact === 'spawning' && runsOf(journal.facts, command).some(({ run, exited }) => run === fact.run && !exited),
  )
  if (pending?.fact === 'spawning') return pending
  const run = nextRunName(journal.facts, command)
  const directory = runDirectory(layout, run)
  await mkdir(directory, { recursive: true, mode: 0o700 })
  // All text of the attempt grows in one file; what `show` says is no part of the log.
  if (command !== 'show') await linkOutput(join(directory, 'output'), relative(directory, layout.output))
  const outputOffset = await sizeOf(layout.output)
  await journal.append({ fact: 'spawning', run, outputOffset })
  crashPoint(`run.${command}.intended`)
  return { run, outputOffset }
}

async function startOrAdopt(attempt: Attempt, run: string, line: CommandLine): Promise<SupervisedRun> {
  const runDir = runDirectory(attempt.parts.layout, run)
  const { claim } = await readRun(runDir)
  if (claim) return new SupervisedRun(runDir)
  attempt.parts.log.info({ run, argv: line.argv }, 'command started')
  return await startRun({ script: line.script, runDir, command: [...line.argv], cwd: line.cwd, env: line.env })
}

function codeOf(end: RunEnd, command: Command): number {
  switch (end.kind) {
    case 'exited':
      return end.exitCode
    case 'not_started':
      throw new StepFailure('agent_fault', `terraform ${command} could not be started on the agent's host.`)
    case 'lost':
      throw new StepFailure(
        'agent_fault',
        `Somebody killed the supervisor of terraform ${command}: how it ended is unknown.`,
      )
  }
}

async function linkOutput(path: string, target: string): Promise<void> {
  try {
    await symlink(target, path)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause // made before a crash
  }
}
