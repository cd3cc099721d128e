/** Records what the attempt came to; delivery tells the server once everything else is there. */
import { crashPoint } from '../../journal/crash-points.js'
import { redactText } from '../../logs/redactor.js'
import type { Attempt } from '../attempt.js'
import { outcomeOf } from '../outcome.js'
import { usedBy } from '../used.js'

export async function finishStep(attempt: Attempt): Promise<void> {
  const { journal } = attempt.parts
  const outcome = outcomeOf(journal.facts)
  const message =
    outcome.errorMessage === undefined ? undefined : redactText(await attempt.redaction(), outcome.errorMessage)
  await journal.append({
    fact: 'outcome',
    ...outcome,
    ...(message === undefined ? {} : { errorMessage: message.slice(0, 4096) }),
    used: usedBy(journal.facts),
    durationSeconds: Math.max(0, Math.round((Date.now() - Date.parse(attempt.offered.at)) / 1000)),
  })
  crashPoint('finish.recorded')
}
