/**
 * Stops a running command rung by rung, once the journal says that somebody wants it, or that the run is beyond a limit. Each intent
 * is durable before its signal and the signal is recorded after it: what a crash left in doubt, terraform's output decides.
 */
import { systemClock } from '@iac-agent/runtime'
import { all, isToStop, last, ofRun } from '../journal/attempt-facts.js'
import type { Rung } from '../journal/attempt-record.js'
import { crashPoint } from '../journal/crash-points.js'
import type { SupervisedRun } from '../terraform/supervised-run.js'
import type { Attempt } from './attempt.js'
import { ladderMove } from './cancel-ladder.js'
import { outputTells } from './output-tells.js'

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
  const { run, signal } = climb
  await settleDoubt(attempt, run)
  const ages = new RungAges()
  while (!signal.aborted) {
    const changed = nextChange(attempt, signal)
    const move = isToStop(journal.facts, run) ? ladderMove(stateOf(attempt, climb, ages)) : 'wait'
    if (move === 'wait') await changed.promise
    else if ('waitMs' in move) await changed.orAfter(move.waitMs)
    else {
      changed.stop()
      await journal.append({ fact: 'signalling', run, rung: move.rung })
      crashPoint(`cancel.${move.rung}.intended`)
      const isSent = await send(climb, move.rung)
      crashPoint(`cancel.${move.rung}.sent`)
      await journal.append({ fact: 'signalled', run, rung: move.rung })
      log.info({ run, rung: move.rung, sent: isSent }, 'cancel rung climbed')
    }
  }
}

/** What terraform says at once when it is interrupted, and when it is interrupted again; OpenTofu says the same. */
const acknowledgements: Record<Exclude<Rung, 'kill'>, string> = {
  interrupt: 'Interrupt received',
  interrupt_again: 'Two interrupts received',
}

/** An intent whose signal is not recorded, because the agent died between the two: sent again only when terraform had none. */
async function settleDoubt(attempt: Attempt, run: string): Promise<void> {
  const { journal, layout } = attempt.parts
  const intended = last(ofRun(journal.facts, run), 'signalling')
  if (!intended || intended.rung === 'kill') return // a second SIGKILL changes nothing
  const { rung } = intended
  if (all(ofRun(journal.facts, run), 'signalled').some((sent) => sent.rung === rung)) return
  const from = all(journal.facts, 'spawning').find((spawning) => spawning.run === run)?.outputOffset ?? 0
  if (await outputTells(layout.output, from, acknowledgements[rung]))
    await journal.append({ fact: 'signalled', run, rung })
}

function stateOf(attempt: Attempt, { run, graceMs }: Climb, ages: RungAges) {
  const { facts } = attempt.parts.journal
  return {
    phase: attempt.offered.action,
    isForced: facts.some((fact) => fact.fact === 'cancelRequested' && fact.reason === 'force'),
    climbed: all(ofRun(facts, run), 'signalled').map(({ rung, at }) => ({ rung, agoMs: ages.of(rung, at) })),
    graceMs,
  }
}

/** How long ago each rung was climbed: by the wall clock only until this process first asks, so that nobody shortens a grace by setting it. */
class RungAges {
  readonly #climbedAt = new Map<Rung, number>()

  of(rung: Rung, at: string): number {
    const now = systemClock.monotonic()
    const climbedAt = this.#climbedAt.get(rung) ?? now - Math.max(0, systemClock.now() - Date.parse(at))
    this.#climbedAt.set(rung, climbedAt)
    return now - climbedAt
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
