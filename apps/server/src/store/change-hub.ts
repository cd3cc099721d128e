/** Tells subscribers of one process what each COMMIT changed. */
import type { Change, Changes } from './store.js'

type Listener = (changes: readonly Change[]) => void

export class ChangeHub implements Changes {
  readonly #listeners = new Set<Listener>()
  readonly #onListenerError: (err: unknown) => void

  constructor(onListenerError: (err: unknown) => void) {
    this.#onListenerError = onListenerError
  }

  subscribe(listener: Listener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Tells everybody; a listener that throws is reported and does not keep the others from hearing. */
  tell(changes: readonly Change[]): void {
    if (changes.length === 0) return
    const distinct = withoutDoubles(changes)
    for (const listener of [...this.#listeners]) {
      try {
        listener(distinct)
      } catch (err) {
        this.#onListenerError(err)
      }
    }
  }
}

function withoutDoubles(changes: readonly Change[]): readonly Change[] {
  if (changes.length === 1) return changes
  return [...new Map(changes.map((change) => [Object.values(change).join(' '), change])).values()]
}
