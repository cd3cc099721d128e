/** How a running terraform is stopped, one rung at a time; pure: the facts and the time decide. */
import type { Phase } from '@iac-agent/protocol'
import type { Rung } from '../journal/attempt-record.js'

/** Where an attempt's cancel stands, for one run. */
export interface LadderState {
  phase: Phase
  /** An operator insists, knowing that resources in flight may be lost. */
  isForced: boolean
  /** Rungs whose signal is sent, oldest first, with how long ago. */
  climbed: readonly { rung: Rung; agoMs: number }[]
  /** Patience after a rung before the next one. */
  graceMs: number
}

/** What to do now: a rung to climb, a time after which to ask again, or nothing but to wait for terraform. */
export type LadderMove = { rung: Rung } | { waitMs: number } | 'wait'

/**
 * The first rung is one SIGINT, always. A plan is killed after the grace: it changes nothing.
 * An apply is left to finish what is in flight; only force goes on: a second SIGINT, and after the grace SIGKILL.
 */
export function ladderMove({ phase, isForced, climbed, graceMs }: LadderState): LadderMove {
  const newest = climbed.at(-1)
  if (newest === undefined) return { rung: 'interrupt' }
  if (newest.rung === 'kill') return 'wait'
  if (phase === 'apply' && !isForced) return 'wait'
  if (phase === 'apply' && newest.rung === 'interrupt') return { rung: 'interrupt_again' }
  return newest.agoMs >= graceMs ? { rung: 'kill' } : { waitMs: graceMs - newest.agoMs }
}
