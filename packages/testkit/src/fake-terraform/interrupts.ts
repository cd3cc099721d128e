/** SIGINT and SIGTERM as terraform takes them: the first asks it to stop in order, the second ends it. */
import { setTimeout as elapsed, setImmediate as nextTurn } from 'node:timers/promises'
import { logEvent } from './events.js'
import type { Oracle } from './oracle.js'
import { type Printed, type Printer, plain } from './printer.js'

const interrupted =
  '\nInterrupt received.\nPlease wait for Terraform to exit or data loss may occur.\nGracefully shutting down...\n'
const interruptedAgain = '\nTwo interrupts received. Exiting immediately. Note that data loss may have occurred.\n'

export class Interrupts {
  readonly #first = new AbortController()

  /**
   * Listens from now on. `isJson`: tells them as events.
   * @param exit ends the process at the second one; undefined: it goes on
   */
  constructor(oracle: Oracle, printer: Printer, isJson: boolean, exit: ((code: number) => void) | undefined) {
    const told = (message: string): Printed => (isJson ? logEvent(message) : plain(message))
    const take = () => {
      oracle.note({ kind: 'interrupt' })
      const isSecond = this.#first.signal.aborted
      printer.print(told(isSecond ? interruptedAgain : interrupted))
      if (!isSecond) printer.print(told('Stopping operation...'))
      printer.flush()
      this.#first.abort()
      if (isSecond) exit?.(1)
    }
    process.on('SIGINT', take)
    process.on('SIGTERM', take)
  }

  get isStopping(): boolean {
    return this.#first.signal.aborted
  }

  /** Waits `ms`, or until the first interrupt; gives signals their turn even when there is no wait. */
  async pause(ms: number): Promise<void> {
    if (this.isStopping) return
    if (ms === 0) return await nextTurn()
    try {
      await elapsed(ms, undefined, { signal: this.#first.signal })
    } catch (cause) {
      if (!this.isStopping) throw cause
    }
  }
}
