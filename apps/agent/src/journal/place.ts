/** Where an attempt's directory is, so that a copy of it is told from the one that was made: a copy is made of other files. */
import { stat } from 'node:fs/promises'
import { last } from './attempt-facts.js'
import type { Fact } from './attempt-record.js'
import type { AttemptLayout } from './layout.js'

/** Stays the same through restarts and a move within one file system; not in a copy, on this host or another. */
export async function placeOf({ root, journal }: AttemptLayout): Promise<string> {
  const [directory, file] = await Promise.all([stat(root), stat(journal)])
  return `${directory.ino}:${file.ino}`
}

/** Undefined: the facts are where they were written. Else the place they are in now. */
export async function newPlaceOf(layout: AttemptLayout, facts: readonly Fact[]): Promise<string | undefined> {
  const known = last(facts, 'moved')?.place ?? last(facts, 'offered')?.place
  const place = await placeOf(layout)
  return known === undefined || known === place ? undefined : place
}
