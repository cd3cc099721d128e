/** Closes the output and leaves the work directory clean for the next attempt. */
import { rm } from 'node:fs/promises'
import { has } from '../../journal/attempt-facts.js'
import { crashPoint } from '../../journal/crash-points.js'
import { runDirectory } from '../../journal/layout.js'
import { namesIn } from '../../journal/names-in.js'
import { removeCgroup } from '../../terraform/cgroup.js'
import type { Attempt } from '../attempt.js'
import { isAbandoned } from '../next-step.js'
import { agentsWord } from '../outcome.js'
import { sizeOf } from '../size-of.js'

export async function releaseStep(attempt: Attempt): Promise<void> {
  const { journal, layout, work } = attempt.parts
  const isAnothers = isAbandoned(journal.facts) // the process that started it, whose run may need the directory as it is
  await attempt.closeBackend()
  if (!isAnothers) await removeCgroups(attempt)
  const beside = Promise.all([
    has(journal.facts, 'outputClosed') || closeOutput(attempt),
    rm(layout.planFile, { force: true }),
    rm(layout.rawPlanJson, { force: true }),
  ])
  beside.catch(() => undefined) // awaited below, whatever becomes of the directory
  try {
    // Before the fetch nothing of ours is in it, and its root module is not known.
    if (has(journal.facts, 'fetched') && !isAnothers)
      await work.clean((await attempt.data()).workspace.working_directory ?? undefined)
    crashPoint('release.cleaned')
  } finally {
    await (isAnothers ? work.handBack() : work.release()) // what cannot be removed must not block the workspace as well
    await beside
  }
  crashPoint('release.released')
  await journal.append({ fact: 'released' })
}

/** Those of all runs: nobody of them runs any more. One that cannot be emptied must not block the workspace as well. */
async function removeCgroups({ parts: { layout, log } }: Attempt): Promise<void> {
  const removals = (await namesIn(layout.runs)).map((run) =>
    removeCgroup(runDirectory(layout, run)).catch((err: unknown) => log.warn({ err, run }, 'cgroup not removed')),
  )
  await Promise.all(removals)
  crashPoint('cgroup.removed')
}

/** The last line is ours when the agent itself found the fault; a full disk may refuse it. */
async function closeOutput(attempt: Attempt): Promise<void> {
  const { journal, layout, log } = attempt.parts
  const word = agentsWord(journal.facts)
  try {
    if (word !== undefined) await attempt.note(`\nError: ${word}`)
  } catch (error) {
    log.warn({ err: error }, 'last line of the log not written')
  }
  await journal.append({ fact: 'outputClosed', sizeBytes: await sizeOf(layout.output) })
}
