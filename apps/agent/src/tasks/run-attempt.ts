/** The one loop of an attempt: do the next step, record it, until only delivery remains. A run and its recovery alike. */
import { has } from '../journal/attempt-facts.js'
import type { Attempt } from './attempt.js'
import { nextStep, type Step } from './next-step.js'
import { failureOf } from './step-failure.js'

/** Does one step and appends the facts that show it is done. */
export type Perform = (step: Step) => Promise<void>

/**
 * Runs steps until the outcome is recorded, or `until` says the next one is not ours yet.
 * A step that throws ends the attempt with that failure; once the process is leaving it is left as it is, for the next start.
 * @throws when the journal cannot be written, or a command that may be alive cannot be waited for: try again later
 */
export async function runAttempt(attempt: Attempt, perform: Perform, until?: (next: Step) => boolean): Promise<void> {
  const { journal, leaving, log } = attempt.parts
  let failedStep: Step | undefined
  for (;;) {
    const step = nextStep(journal.facts)
    if (step === undefined || until?.(step) === true || leaving.aborted) return
    if (step === failedStep) throw new Error(`step ${step} fails again`)
    const factsBefore = journal.facts.length
    log.debug({ step }, 'step')
    try {
      await perform(step)
      if (journal.facts.length === factsBefore) throw new Error(`step ${step} recorded nothing`)
    } catch (error) {
      if (leaving.aborted) return
      await recordFailure(attempt, step, error)
      failedStep = step
    }
  }
}

/** The failure becomes a fact; what fails while closing is skipped the same way, so that the attempt always ends. */
async function recordFailure(attempt: Attempt, step: Step, error: unknown): Promise<void> {
  const { journal, log } = attempt.parts
  if (attempt.stopping.aborted && isAbort(error)) return // the cancel that interrupted the step is recorded already
  log.warn({ err: error, step }, 'step failed')
  if (!has(journal.facts, 'failed')) await journal.append({ fact: 'failed', ...failureOf(error) })
  if (step === 'collect_states') await journal.append({ fact: 'statesCollected' })
  if (step === 'list_unrecorded') await journal.append({ fact: 'unrecordedListed' })
  if (step === 'release') await journal.append({ fact: 'released' })
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && (error.name === 'AbortError' || error.name === 'TimeoutError')
}
