/** Supervisors of an attempt's commands: begun ahead, so that an order finds one that is up and in its cgroup. */
import { mkdir, readdir } from 'node:fs/promises'
import { type Command, commandOf, nextRunName, pendingRun } from '../journal/attempt-facts.js'
import { crashPoint, supervisorCrashPoint } from '../journal/crash-points.js'
import { runDirectory } from '../journal/layout.js'
import { makeCgroup, removeCgroup } from '../terraform/cgroup.js'
import { Standby } from '../terraform/standby.js'
import type { Attempt } from './attempt.js'

export interface SupervisorTools {
  /** Path of supervise.sh. */
  supervisorScript: string
  /** Where each run gets a cgroup of its own; undefined where this agent may make none. */
  cgroup: string | undefined
}

/** Of all attempts of this process: with more the host is busy, and what is begun early only holds up the others. */
const mostStanding = 2
let standingNow = 0

/**
 * Begins the supervisor of the next run of `command`, unless one stands by or a run is under way, or others do. What fails here is tried
 * again when it is needed.
 */
export function standBy(attempt: Attempt, tools: SupervisorTools, command: Command): void {
  const { journal, log } = attempt.parts
  if (attempt.standing !== undefined || pendingRun(journal.facts) || standingNow >= mostStanding) return
  standingNow++
  const run = nextRunName(journal.facts, command)
  const supervisor = begin(attempt, tools, run).catch((err: unknown) => {
    log.warn({ err, run }, 'no supervisor stands by')
    return undefined
  })
  attempt.standing = { run, supervisor }
}

/** The supervisor of `run`: the one that stands by, else a new one; one that was meant for another run is dismissed. */
export async function takeSupervisor(attempt: Attempt, tools: SupervisorTools, run: string): Promise<Standby> {
  if (attempt.standing?.run === run) return (await withdraw(attempt)) ?? (await begin(attempt, tools, run))
  const [supervisor] = await Promise.all([begin(attempt, tools, run), dismissStanding(attempt)])
  return supervisor
}

/** No order will come: idempotent. */
export async function dismissStanding(attempt: Attempt): Promise<void> {
  await (await withdraw(attempt))?.dismiss()
}

async function withdraw(attempt: Attempt): Promise<Standby | undefined> {
  const { standing } = attempt
  if (standing === undefined) return undefined
  attempt.standing = undefined
  standingNow--
  return await standing.supervisor
}

async function begin(attempt: Attempt, { supervisorScript: script, cgroup }: SupervisorTools, run: string) {
  const runDir = runDirectory(attempt.parts.layout, run)
  await mkdir(runDir, { recursive: true, mode: 0o700 })
  // A reading of a plan starts nothing that could stay.
  if (commandOf(run) !== 'show') await giveCgroup(attempt, run, cgroup)
  return await Standby.begin({ script, runDir, crashPoint: supervisorCrashPoint(commandOf(run)) })
}

/** Where none can be made the run does without. */
async function giveCgroup(attempt: Attempt, run: string, parent: string | undefined): Promise<void> {
  const { layout, log } = attempt.parts
  const { taskId, attempt: number } = attempt.offered
  try {
    if (parent !== undefined) await makeCgroup(parent, runDirectory(layout, run), `${taskId}-${number}-${run}`)
  } catch (err) {
    log.warn({ err, run }, 'run gets no cgroup')
  }
  crashPoint('cgroup.made')
}

/** Those of all runs, also of one that was never ordered: nobody of them runs any more. One that cannot be emptied must not block the workspace as well. */
export async function removeCgroups({ parts: { layout, log } }: Attempt): Promise<void> {
  const removals = (await runsIn(layout.runs)).map((run) =>
    removeCgroup(runDirectory(layout, run)).catch((err: unknown) => log.warn({ err, run }, 'cgroup not removed')),
  )
  await Promise.all(removals)
  crashPoint('cgroup.removed')
}

async function runsIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw cause
  }
}
