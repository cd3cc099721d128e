/** Stops a running command rung by rung, once the journal says that somebody wants it: each intent is durable before its signal. */

import { has } from '../journal/attempt-facts.js'
import type { Rung } from '../journal/attempt-record.js'
import { crashPoint } from '../journal/crash-points.js'
import type { SupervisedRun } from '../terraform/supervisor.js'
import type { Attempt } from './attempt.js'
import { ladderMove } from './cancel-ladder.js'

export interface Climb {
  run: string
  supervised: SupervisedRun
  graceMs: number
  /** Aborts when the command has ended. */
  signal: AbortSignal
}

/** Resolves when the command has ended; a signal that cannot be sent is logged and tried no more. */
export async function climbLadder(attempt: Attempt, climb: Climb): Promise<void> {
  const { journal, log } = attempt.parts
  const { signal } = climb
  while (!signal.aborted) {
    const changed = nextChange(attempt, signal)
    const move = has(journal.facts, 'cancelRequested') ? ladderMove(stateOf(attempt, climb)) : 'wait'
    if (move === 'wait') await changed.promise
    else if ('waitMs' in move) await changed.orAfter(move.waitMs)
    else {
      changed.stop()
      await journal.append({ fact: 'signalling', run: climb.run, rung: move.rung })
      crashPoint(`cancel.${move.rung}.intended`)
      const isSent = await send(climb, move.rung)
      log.info({ run: climb.run, rung: move.rung, sent: isSent }, 'cancel rung climbed')
    }
  }
}

function stateOf(attempt: Attempt, { run, graceMs }: Climb) {
  const { facts } = attempt.parts.journal
  const now = Date.now()
  return {
    phase: attempt.offered.action,
    isForced: facts.some((fact) => fact.fact === 'cancelRequested' && fact.reason === 'force'),
    climbed: facts.flatMap((fact) =>
      fact.fact === 'signalling' && fact.run === run ? [{ rung: fact.rung, agoMs: now - Date.parse(fact.at) }] : [],
    ),
    graceMs,
  }
}

async function send({ supervised, signal }: Climb, rung: Rung): Promise<boolean> {
  try {
    return await (rung === 'kill' ? supervised.kill(signal) : supervised.interrupt(signal))
  } catch (error) {
    if (signal.aborted) return false // it ended by itself just now
    throw error
  }
}

/** The next fact of the journal, the end of the command, or a time, whichever is first. */
function nextChange(attempt: Attempt, signal: AbortSignal) {
  let wake: () => void = () => undefined
  const promise = new Promise<void>((resolve) => {
    wake = resolve
  })
  const unwatch = attempt.parts.journal.watch(() => wake())
  signal.addEventListener('abort', wake, { once: true })
  const stop = () => {
    unwatch()
    signal.removeEventListener('abort', wake)
  }
  return {
    stop,
    promise: promise.finally(stop),
    async orAfter(ms: number): Promise<void> {
      const timer = setTimeout(wake, ms)
      await promise
      clearTimeout(timer)
      stop()
    },
  }
}
