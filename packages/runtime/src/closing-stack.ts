/** What was opened, closed in the opposite order; Node 20 has no AsyncDisposableStack of its own. */

export class ClosingStack implements AsyncDisposable {
  #closers: (() => unknown)[] = []

  /** Closes `part` when the stack closes; answers `part`. */
  use<T extends AsyncDisposable | Disposable>(part: T): T {
    this.defer(() => (Symbol.asyncDispose in part ? part[Symbol.asyncDispose]() : part[Symbol.dispose]()))
    return part
  }

  /** Calls `close` when the stack closes; a promise it answers is awaited. */
  defer(close: () => unknown): void {
    this.#closers.push(close)
  }

  /** Hands everything over to the stack that is answered: this one then closes nothing. */
  move(): ClosingStack {
    const taken = new ClosingStack()
    taken.#closers = this.#closers
    this.#closers = []
    return taken
  }

  /** Last opened first. Each is closed even when one before failed; the first failure is thrown at the end. */
  async [Symbol.asyncDispose](): Promise<void> {
    const failures: unknown[] = []
    for (let close = this.#closers.pop(); close !== undefined; close = this.#closers.pop()) {
      try {
        await close()
      } catch (err) {
        failures.push(err)
      }
    }
    if (failures.length > 0) throw failures[0]
  }
}
