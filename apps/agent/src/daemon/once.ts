/** `start --once`: one run (or what a former process left), then the end. */
import { ExitCode, type Logger } from '@iac-agent/runtime'
import type { Attempts } from './attempts.js'
import type { Shutdown } from './shutdown.js'

/** An agent that is welcomed is offered what waits at once; after this there is nothing for it. */
const onceWaitMs = 5_000

export interface OnceParts {
  attempts: Attempts
  shutdown: Shutdown
  log: Logger
}

/** What is begun first is the last: no more is taken beside it, and its end is the daemon's. */
export function drainAfterFirst({ attempts, shutdown }: Omit<OnceParts, 'log'>): void {
  void attempts.whenStarted().then(() => shutdown.drain())
}

/** Leaves with `noWork` when nothing has begun in time; call when the server has welcomed this agent. */
export function leaveWithoutWork({ attempts, shutdown, log }: OnceParts, signal: AbortSignal): void {
  const timer = setTimeout(() => {
    // what is only sent again is no work
    void attempts.whenEmpty().then(() => {
      if (attempts.hasStarted) return
      log.info('no task was offered')
      shutdown.leave(ExitCode.noWork)
    })
  }, onceWaitMs)
  signal.addEventListener('abort', () => clearTimeout(timer))
}
