/** How far the cancel of an attempt has come, read off its facts; for the people who wait for it. */
import type { CancelRung } from '@iac-agent/protocol'
import { all, has, isToStop, pendingRun } from '../journal/attempt-facts.js'
import type { Fact } from '../journal/attempt-record.js'
import type { Journal } from '../journal/journal.js'

/** Undefined while nobody wants the attempt to stop, and no limit its command. */
export function cancelRung(facts: readonly Fact[]): CancelRung | undefined {
  const pending = pendingRun(facts)
  if (pending === undefined) return has(facts, 'cancelRequested') || has(facts, 'limitExceeded') ? 'ended' : undefined
  if (!isToStop(facts, pending.run)) return undefined
  return all(facts, 'signalled').findLast(({ run }) => run === pending.run)?.rung ?? 'heard'
}

/** Calls `tell` each time it has come further; returns how to stop. */
export function watchCancel(journal: Journal, tell: () => void): () => void {
  let told = cancelRung(journal.facts)
  return journal.watch(() => {
    const rung = cancelRung(journal.facts)
    if (rung === told) return
    told = rung
    tell()
  })
}
