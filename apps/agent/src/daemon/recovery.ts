/** Judges the attempts that a dead agent process left behind: a pure table over the facts and what the host shows. */
import { join } from 'node:path'
import type { Logger } from '@iac-agent/runtime'
import { all, has, pendingRun } from '../journal/attempt-facts.js'
import type { Fact } from '../journal/attempt-record.js'
import type { Ballast } from '../journal/ballast.js'
import { Journal, readJournal } from '../journal/journal.js'
import { type AttemptLayout, attemptLayoutAt, type DataLayout, runDirectory } from '../journal/layout.js'
import { namesIn } from '../journal/names-in.js'
import { newPlaceOf } from '../journal/place.js'
import { isAlive } from '../journal/process-identity.js'
import { isStartUnused } from '../tasks/next-step.js'
import { readRun } from '../terraform/run-facts.js'
import type { AttemptSession } from './attempt-session.js'
import type { Attempts } from './attempts.js'
import { type KeptAttempts, whyKept } from './kept-attempts.js'
import { stripAttempt } from './kept-files.js'
import { finishRemovals, removeAttempt } from './remove-attempt.js'
import { whenThereIsRoom } from './room-to-start.js'
import type { SessionFactory } from './session-factory.js'

/** What to do with an attempt that was found. */
export type Judgement =
  /** its offer was never durable: nobody knows of it */
  | 'discard'
  /** nothing of it runs: the same loop goes on where the facts end, up to delivery */
  | 'resume'
  /** its terraform is alive: the loop waits for its end instead of starting it */
  | 'adopt'
  /** it is over, and nothing of it is unsent: kept for a while */
  | 'keep'
  /** a copy of one whose terraform runs: that directory's agent has it, this one is not touched */
  | 'leave'

/**
 * `hasLiveRun`: a supervisor or terraform of a run without recorded exit is alive.
 * `isCopy`: the directory is not the one the facts were written in, and what is alive belongs to that one.
 */
export function judge(facts: readonly Fact[], hasLiveRun: boolean, isCopy = false): Judgement {
  if (!has(facts, 'offered')) return 'discard'
  if (whyKept(facts) !== undefined) return 'keep'
  if (hasLiveRun) return isCopy ? 'leave' : 'adopt'
  return 'resume'
}

export interface RecoveryParts {
  data: DataLayout
  ballast: Ballast
  sessions: SessionFactory
  attempts: Attempts
  kept: KeptAttempts
  log: Logger
}

interface Found {
  layout: AttemptLayout
  facts: readonly Fact[]
  judgement: Judgement
  /** where it is now, when the facts were written elsewhere: it is a copy */
  place: string | undefined
}

/** Lets every attempt that was left behind go on, each for itself: one that cannot be opened does not hold up the others. */
export async function resumeAttempts(parts: RecoveryParts): Promise<void> {
  const { data, kept, log } = parts
  await finishRemovals(data.attempts)
  for (const name of (await namesIn(data.attempts)).filter((one) => /^\d+-\d+$/.test(one))) {
    const layout = attemptLayoutAt(join(data.attempts, name))
    const facts = await readJournal(layout.journal).catch(async (error: unknown) => {
      log.error({ err: error, kept: layout.root }, 'attempt cannot be read, kept for a person')
      await kept.findUnreadable(layout)
      return undefined
    })
    if (facts === undefined) continue
    // A directory without an offer may be without a journal too: its maker died between the two.
    const place = has(facts, 'offered') ? newPlaceOf(layout, facts) : undefined
    const judgement = judge(facts, await hasLiveRun(layout, facts), place !== undefined)
    const level = judgement === 'keep' ? 'debug' : 'info'
    log[level]({ attempt: name, judgement, is_copy: place !== undefined, facts: facts.length }, 'attempt found')
    await act(parts, { layout, facts, judgement, place })
  }
}

async function act(
  { ballast, sessions, attempts, kept, log }: RecoveryParts,
  { layout, facts, judgement, place }: Found,
): Promise<void> {
  if (judgement === 'discard') return await removeAttempt(layout)
  if (judgement === 'keep') {
    await stripAttempt(layout, facts)
    await kept.find(layout, facts)
    return
  }
  if (judgement === 'leave') {
    log.error({ kept: layout.root }, 'attempt is a copy of one whose terraform runs, left alone')
    return
  }
  try {
    // Not later: the server would offer it again meanwhile.
    void attempts.start(await whenThereIsRoom({ ballast, log }, () => reopen(sessions, ballast, layout, place)))
  } catch (error) {
    log.error({ err: error, kept: layout.root }, 'attempt cannot be resumed')
  }
}

async function reopen(
  sessions: SessionFactory,
  ballast: Ballast,
  layout: AttemptLayout,
  place: string | undefined,
): Promise<AttemptSession> {
  const journal = await Journal.open(layout.journal, ballast)
  try {
    if (place !== undefined) await journal.append({ fact: 'moved', place })
    if (isStartUnused(journal.facts, await isClaimed(layout, journal.facts)))
      await journal.append({ fact: 'startDoubted' })
    return await sessions.reopen(layout, journal)
  } catch (error) {
    await journal[Symbol.asyncDispose]()
    throw error
  }
}

/** Whether a supervisor, or a recovery in its place, has the run that is under way. */
async function isClaimed(layout: AttemptLayout, facts: readonly Fact[]): Promise<boolean> {
  const pending = pendingRun(facts)
  return pending !== undefined && (await readRun(runDirectory(layout, pending.run))).claim !== undefined
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
