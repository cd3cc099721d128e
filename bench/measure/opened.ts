/** What was opened together and is closed together, the last first: AsyncDisposableStack, which Node.js 20 does not have. */
export class Opened implements AsyncDisposable {
  #parts: AsyncDisposable[] = []

  use<T extends AsyncDisposable>(part: T): T {
    this.#parts.push(part)
    return part
  }

  /** Hands all of it over: this one closes nothing any more. */
  move(): Opened {
    const moved = new Opened()
    moved.#parts = this.#parts
    this.#parts = []
    return moved
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const faults: unknown[] = []
    for (const part of this.#parts.splice(0).reverse()) {
      try {
        await part[Symbol.asyncDispose]()
      } catch (fault) {
        faults.push(fault) // the others are closed all the same
      }
    }
    if (faults.length > 0) throw faults[0]
  }
}
