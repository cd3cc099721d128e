/** What of an attempt stays on disk once its run is over: what can be sent again, and nothing that is secret for its own sake. */
import { readdir, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { has } from '../journal/attempt-facts.js'
import type { Fact } from '../journal/attempt-record.js'
import type { AttemptLayout } from '../journal/layout.js'

/** Removes inputs, raw output, run directories and credentials. Again: nothing happens. */
export async function stripAttempt(layout: AttemptLayout, facts: readonly Fact[]): Promise<void> {
  const kept = new Set(keptPaths(layout, facts).map((path) => basename(path)))
  for (const name of await readdir(layout.root)) {
    if (!kept.has(name)) await rm(join(layout.root, name), { recursive: true, force: true })
  }
}

function keptPaths(layout: AttemptLayout, facts: readonly Fact[]): string[] {
  const { journal, spool, states, quarantine, progress, unrecorded, planArchive, planJson } = layout
  return [
    journal,
    spool,
    states,
    quarantine,
    progress,
    unrecorded,
    ...(has(facts, 'planPacked') ? [planArchive] : []),
    ...(has(facts, 'planJsonSaved') ? [planJson] : []),
  ]
}
