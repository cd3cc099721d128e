/** How far the cancel of an attempt has come, read off its facts; for the people who wait for it. Pure. */
import type { CancelRung } from '@iac-agent/protocol'
import { all, has, pendingRun } from '../journal/attempt-facts.js'
import type { Fact } from '../journal/attempt-record.js'

/** Undefined while nobody wants the attempt to stop. */
export function cancelRung(facts: readonly Fact[]): CancelRung | undefined {
  if (!has(facts, 'cancelRequested')) return undefined
  const pending = pendingRun(facts)
  if (pending === undefined) return 'ended'
  return all(facts, 'signalled').findLast(({ run }) => run === pending.run)?.rung ?? 'heard'
}
