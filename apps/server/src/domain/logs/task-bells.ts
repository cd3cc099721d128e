/** Rings for whoever waits on a task when a COMMIT touched it. */
import type { Change, Store } from '../../store/store.js'

/** One task's bell; `rings` counts up, so that a ring between looking and waiting is not missed. */
export class TaskBell {
  rings = 0
  /** reads under way, which viewers at the same place share */
  readonly #shared = new Map<string, Promise<unknown>>()
  readonly #waiting = new Set<() => void>()

  ring(): void {
    this.rings++
    for (const wake of [...this.#waiting]) wake()
  }

  /** Resolves when it rang since `seen`, or on abort. */
  next(seen: number, signal: AbortSignal): Promise<void> {
    if (this.rings !== seen || signal.aborted) return Promise.resolve()
    return new Promise((resolve) => {
      const wake = () => {
        this.#waiting.delete(wake)
        signal.removeEventListener('abort', wake)
        resolve()
      }
      this.#waiting.add(wake)
      signal.addEventListener('abort', wake)
    })
  }

  /** Runs `read` once for all who ask for the same key while it runs and nothing rings. What was read is not kept. */
  share<T>(key: string, read: () => Promise<T>): Promise<T> {
    const now = `${this.rings} ${key}`
    const known = this.#shared.get(now)
    if (known) return known as Promise<T>
    const made = read().finally(() => this.#shared.delete(now))
    this.#shared.set(now, made)
    return made
  }
}

/** The bells of tasks somebody looks at; dispose it with the server. */
export class TaskBells implements Disposable {
  readonly #bells = new Map<number, { bell: TaskBell; holders: number }>()
  readonly #listeners = new Set<(taskId: number, isWatched: boolean) => void>()
  readonly #unsubscribe: () => void

  constructor(store: Store) {
    this.#unsubscribe = store.changes.subscribe((changes) => this.#hear(changes))
  }

  hold(taskId: number): TaskBell {
    const known = this.#bells.get(taskId)
    if (known) {
      known.holders++
      return known.bell
    }
    const bell = new TaskBell()
    this.#bells.set(taskId, { bell, holders: 1 })
    for (const listener of this.#listeners) listener(taskId, true)
    return bell
  }

  release(taskId: number): void {
    const known = this.#bells.get(taskId)
    if (!known || --known.holders > 0) return
    this.#bells.delete(taskId)
    for (const listener of this.#listeners) listener(taskId, false)
  }

  isHeld(taskId: number): boolean {
    return this.#bells.has(taskId)
  }

  /** Tells when a task gets its first holder and loses its last. Answers the way to unsubscribe. */
  onHeld(listener: (taskId: number, isHeld: boolean) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  [Symbol.dispose](): void {
    this.#unsubscribe()
  }

  #hear(changes: readonly Change[]): void {
    for (const change of changes) {
      if (change.kind === 'log' || change.kind === 'task') this.#bells.get(change.taskId)?.bell.ring()
    }
  }
}
