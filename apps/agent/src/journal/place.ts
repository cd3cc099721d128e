/** Where an attempt's directory is, so that a copy of it is told from the one that was made: a copy is made of other files. */
import { statSync } from 'node:fs'
import { last } from './attempt-facts.js'
import type { Fact } from './attempt-record.js'
import type { AttemptLayout } from './layout.js'

/** Stays the same through restarts and a move within one file system; not in a copy, on this host or another. Both were just opened: no disk is waited for. */
export function placeOf({ root, journal }: AttemptLayout): string {
  return `${statSync(root).ino}:${statSync(journal).ino}`
}

/** Undefined: the facts are where they were written. Else the place they are in now. */
export function newPlaceOf(layout: AttemptLayout, facts: readonly Fact[]): string | undefined {
  const known = last(facts, 'moved')?.place ?? last(facts, 'offered')?.place
  const place = placeOf(layout)
  return known === undefined || known === place ? undefined : place
}
