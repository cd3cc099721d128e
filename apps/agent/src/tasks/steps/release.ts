/** Closes the output and leaves the work directory clean for the next attempt. */
import { rm, stat } from 'node:fs/promises'
import { first, has } from '../../journal/attempt-facts.js'
import { crashPoint } from '../../journal/crash-points.js'
import { redactText } from '../../logs/redactor.js'
import type { Attempt } from '../attempt.js'

export async function releaseStep(attempt: Attempt): Promise<void> {
  const { journal, layout, work } = attempt.parts
  await attempt.closeBackend()
  if (!has(journal.facts, 'outputClosed')) {
    const failure = first(journal.facts, 'failed')
    await attempt.note(failure ? `\nError: ${redactText(await attempt.redaction(), failure.message)}` : '')
    await journal.append({ fact: 'outputClosed', sizeBytes: (await stat(layout.output)).size })
  }
  await rm(layout.planFile, { force: true })
  await rm(layout.rawPlanJson, { force: true })
  await work.clean()
  crashPoint('release.cleaned')
  await work.release()
  crashPoint('release.released')
  await journal.append({ fact: 'released' })
}
