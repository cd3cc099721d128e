/** Judges the attempts that a dead agent process left behind: a pure table over the facts and what the host shows. */
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from '@iac-agent/runtime'
import { all, has } from '../journal/attempt-facts.js'
import type { Fact } from '../journal/attempt-record.js'
import { Journal } from '../journal/journal.js'
import { type AttemptLayout, attemptLayoutAt, type DataLayout, runDirectory } from '../journal/layout.js'
import { isAlive } from '../journal/process-identity.js'
import { isAbandoned } from '../tasks/next-step.js'
import { readRun } from '../terraform/run-facts.js'
import type { Attempts } from './attempts.js'
import type { SessionFactory } from './session-factory.js'

/** What to do with an attempt that was found. */
export type Judgement =
  /** its offer was never durable: nobody knows of it */
  | 'discard'
  /** nothing of it runs: the same loop goes on where the facts end, up to delivery */
  | 'resume'
  /** its terraform is alive: the loop waits for its end instead of starting it */
  | 'adopt'
  /** another process has it: kept for a person, until the janitor comes */
  | 'keep'

/** `hasLiveRun`: a supervisor or terraform of a run without recorded exit is alive. */
export function judge(facts: readonly Fact[], hasLiveRun: boolean): Judgement {
  if (!has(facts, 'offered')) return 'discard'
  if (isAbandoned(facts) && has(facts, 'released')) return 'keep'
  return hasLiveRun ? 'adopt' : 'resume'
}

interface Found {
  layout: AttemptLayout
  journal: Journal
  judgement: Judgement
}

/** Every attempt directory that can be read, judged; journals are open for whoever goes on with them. */
async function findAttempts(data: DataLayout, log: Logger): Promise<Found[]> {
  const found: Found[] = []
  for (const name of await namesIn(data.attempts)) {
    const layout = attemptLayoutAt(join(data.attempts, name))
    const journal = await Journal.open(layout.journal).catch((error: unknown) => {
      log.error({ err: error, kept: layout.root }, 'attempt cannot be read, kept for a person')
      return undefined
    })
    if (journal === undefined) continue
    const judgement = judge(journal.facts, await hasLiveRun(layout, journal.facts))
    log.info({ attempt: name, judgement, facts: journal.facts.length }, 'attempt found')
    found.push({ layout, journal, judgement })
  }
  return found
}

/** Lets every attempt that was left behind go on, each for itself: one that cannot be opened does not hold up the others. */
export async function resumeAttempts(
  data: DataLayout,
  log: Logger,
  sessions: SessionFactory,
  attempts: Attempts,
): Promise<void> {
  for (const { layout, journal, judgement } of await findAttempts(data, log)) {
    if (judgement === 'discard') {
      await journal[Symbol.asyncDispose]()
      await rm(layout.root, { recursive: true, force: true })
      continue
    }
    if (judgement === 'keep') {
      await journal[Symbol.asyncDispose]()
      continue
    }
    try {
      attempts.start(await sessions.reopen(layout, journal))
    } catch (error) {
      await journal[Symbol.asyncDispose]()
      log.error({ err: error, kept: layout.root }, 'attempt cannot be resumed')
    }
  }
}

async function hasLiveRun(layout: AttemptLayout, facts: readonly Fact[]): Promise<boolean> {
  const ended = new Set(all(facts, 'exited').map(({ run }) => run))
  for (const { run } of all(facts, 'spawning')) {
    if (ended.has(run)) continue
    const { claim, pid } = await readRun(runDirectory(layout, run))
    if ((claim && (await isAlive(claim))) || (pid && (await isAlive(pid)))) return true
  }
  return false
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return (await readdir(directory)).filter((name) => /^\d+-\d+$/.test(name))
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw cause
  }
}
