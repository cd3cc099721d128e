/** Asks the server whether this attempt may change anything: once granted, for this start id alone. */
import { randomUUID } from 'node:crypto'
import { has, startQuestion } from '../../journal/attempt-facts.js'
import { crashPoint } from '../../journal/crash-points.js'
import { ServerRefused } from '../../server-api/errors.js'
import type { Attempt } from '../attempt.js'

export async function startGateStep(attempt: Attempt): Promise<void> {
  const { accessor, journal, retry } = attempt.parts
  // A restarted agent asks again with the same id: the server knows it and answers the same. A copy of its directory has another.
  const asked = startQuestion(journal.facts)
  const startId = asked?.startId ?? randomUUID()
  if (!asked) await journal.append({ fact: 'startAsked', startId })
  crashPoint('start_gate.asked')
  try {
    // What is in doubt is asked for even when somebody wants it to stop.
    const isInDoubt = has(journal.facts, 'moved') || has(journal.facts, 'startDoubted')
    const signal = isInDoubt ? attempt.parts.leaving : attempt.stopping
    await retry.run('ask to start the apply', signal, () => accessor.startApply(startId))
  } catch (error) {
    if (!(error instanceof ServerRefused)) throw error
    await journal.append({ fact: 'startAnswered', granted: false, code: error.code, message: error.message })
    return
  }
  crashPoint('start_gate.granted')
  await journal.append({ fact: 'startAnswered', granted: true })
  crashPoint('start_gate.recorded')
}

/** What was on its way when the start was refused made the server believe that we have it; now nothing is. */
export async function sayNotOurs({ parts, facts }: Attempt): Promise<void> {
  const { accessor, retry, leaving } = parts
  const startId = startQuestion(facts)?.startId
  if (startId === undefined) return
  try {
    await retry.run('say that the apply is not ours', leaving, () => accessor.startApply(startId))
  } catch (error) {
    if (!(error instanceof ServerRefused || leaving.aborted)) throw error // the refusal is what is wanted
  }
}
