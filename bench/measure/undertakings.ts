/** Work begun in an event's handler, which nobody awaits there: its faults are kept until somebody asks. */

export class Undertakings {
  readonly #all: Promise<void>[] = []
  readonly #faults: unknown[] = []

  add(work: Promise<unknown>): void {
    this.#all.push(
      work.then(
        () => undefined,
        (fault) => void this.#faults.push(fault),
      ),
    )
  }

  /** Resolves when all that was begun so far has ended. @throws the first fault */
  async ended(): Promise<void> {
    await Promise.all(this.#all)
    if (this.#faults.length > 0) throw this.#faults[0]
  }
}
