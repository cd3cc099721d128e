/** How the daemon comes to its end: drain, interrupt, or leave (detach); the first reason wins. */
import { ExitCode, type Logger, Loop, type StopSignal } from '@iac-agent/runtime'
import type { Attempts } from './attempts.js'
import type { DaemonState } from './daemon-state.js'

export interface ShutdownParts {
  state: DaemonState
  attempts: Attempts
  onTerm: 'drain' | 'cancel'
  termGraceMs: number
  log: Logger
}

/** Between two lines about what a drain waits for. */
const sayEveryMs = 10_000

export class Shutdown {
  /** Resolves with the exit code once the daemon is to leave. */
  readonly ended: Promise<ExitCode>
  readonly #over = new AbortController()
  #end: (code: ExitCode) => void = () => undefined

  constructor(private readonly parts: ShutdownParts) {
    this.ended = new Promise((resolve) => {
      this.#end = resolve
    })
  }

  /**
   * First signal: drain; second one: leave at once, what runs goes on and the next start adopts it. On a host that goes away
   * (`cancel`) nothing could go on: there the first one interrupts, and later ones change nothing.
   */
  signalled(count: number, name: StopSignal): void {
    const { onTerm, termGraceMs, log } = this.parts
    log.info({ signal: name, count }, 'stop requested')
    this.drain()
    if (onTerm === 'cancel') {
      this.interrupt()
      if (count === 1) this.#leaveAfter(termGraceMs)
    } else if (count > 1) this.#detach()
  }

  /** Takes no new work and ends when everything is finished and delivered. */
  drain(): void {
    const { state, attempts, log } = this.parts
    if (!state.move('draining')) return
    const say = new Loop({
      everyMs: sayEveryMs,
      body: async () => {
        if (!attempts.isEmpty) log.info({ waiting_for: attempts.waitingFor() }, 'draining')
      },
      onError: (error) => log.error({ err: error }, 'drain'),
    })
    void say.run(this.#over.signal)
    void attempts.whenEmpty().then(() => this.leave(ExitCode.done))
  }

  /** First rung of the cancel ladder for everything that runs. */
  interrupt(): void {
    const { state, attempts, log } = this.parts
    if (!state.move('cancelling')) return
    attempts.cancelAll().catch((error: unknown) => log.error({ err: error }, 'interrupt'))
  }

  /** Ends now; what is undelivered stays on disk for the next start. */
  leave(code: ExitCode): void {
    if (!this.parts.state.move('leaving')) return
    this.#over.abort()
    this.#end(code)
  }

  #detach(): void {
    const { attempts, log } = this.parts
    log.warn({ left_behind: attempts.waitingFor() }, 'detached')
    this.leave(attempts.isEmpty ? ExitCode.done : ExitCode.detached)
  }

  #leaveAfter(ms: number): void {
    const timer = setTimeout(() => {
      this.parts.log.warn('grace is over')
      this.#detach()
    }, ms)
    this.#over.signal.addEventListener('abort', () => clearTimeout(timer))
  }
}
