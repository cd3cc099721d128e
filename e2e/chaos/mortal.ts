/** A program of the fleet as its host keeps it: it is killed when we say so, and an end that nobody asked for is remembered. */
import type { BuiltChild } from '@iac-agent/testkit'

/** What both RunningServer and RunningAgent are. */
interface Program {
  readonly child: BuiltChild
  stop(signal?: NodeJS.Signals): Promise<unknown>
  launch(): Promise<void>
}

export class Mortal {
  /** Ends that nobody asked for, each with the last lines of its log. */
  readonly deaths: string[] = []
  #condemned: BuiltChild | undefined
  #isDown = false

  constructor(
    readonly name: string,
    private readonly program: Program,
  ) {
    this.#watch()
  }

  get pid(): number {
    return this.program.child.pid
  }

  get isDown(): boolean {
    return this.#isDown
  }

  async kill(): Promise<void> {
    this.#condemned = this.program.child
    await this.program.stop('SIGKILL')
  }

  /** Two signals: it ends at once and leaves what runs. */
  async detach(): Promise<void> {
    this.#condemned = this.program.child
    if (this.#isDown) return
    process.kill(this.pid, 'SIGINT')
    await this.program.stop('SIGTERM')
  }

  /** After its end; does not wait until it is ready. */
  async launch(): Promise<void> {
    await this.program.launch()
    this.#isDown = false
    this.#watch()
  }

  #watch(): void {
    const { child } = this.program
    void child.exited.then(({ code, signal }) => {
      if (this.program.child === child) this.#isDown = true
      if (this.#condemned === child) return
      this.deaths.push(`${this.name} ended by itself (${signal ?? `exit code ${code}`}): ${child.log.tail(5)}`)
    })
  }
}
