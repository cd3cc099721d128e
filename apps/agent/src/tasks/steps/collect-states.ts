/** Takes up the states an apply left elsewhere than in our backend: errored.tfstate, or printed as a last resort. */

import { basename } from 'node:path'
import { all, first } from '../../journal/attempt-facts.js'
import { crashPoint } from '../../journal/crash-points.js'
import { collectCandidates } from '../../state/candidates.js'
import { listStates } from '../../state/stored-state.js'
import type { Attempt } from '../attempt.js'
import { placeOf } from '../terraform-tools.js'

export async function collectStatesStep(attempt: Attempt): Promise<void> {
  const { journal, layout, ballast } = attempt.parts
  await attempt.closeBackend()
  // What was stored but not journaled when a former process died.
  for (const state of await listStates(layout.states)) {
    if (!isRecorded(attempt, state.path)) await attempt.recordState(state, 'posted')
  }
  const lineage = first(journal.facts, 'fetched')?.lineage ?? ''
  const rootDir = placeOf(attempt).rootDir
  for (const candidate of await collectCandidates({
    statesDir: layout.states,
    rootDir,
    outputFile: layout.output,
    lineage,
    ballast,
  })) {
    if (!isRecorded(attempt, candidate.path)) await attempt.recordState(candidate, candidate.origin)
  }
  crashPoint('collect_states.collected')
  await journal.append({ fact: 'statesCollected' })
}

function isRecorded(attempt: Attempt, path: string): boolean {
  return all(attempt.facts, 'stateReceived').some(({ file }) => file === basename(path))
}
