/** Wakes when something in a directory changes, by the kernel's events; a timer covers hosts that are out of watches. */
import { type FSWatcher, watch } from 'node:fs'

export class DirectoryWatch implements Disposable {
  private changes = 0
  private seen = 0
  private wake: (() => void) | undefined
  private readonly watcher: FSWatcher | undefined

  constructor(path: string) {
    this.watcher = openWatcher(path, () => {
      this.changes++
      this.wake?.()
    })
  }

  /**
   * Resolves when something changed since the last call, after `withinMs` at the latest, or when `also` settles.
   * @throws the signal's reason when it is aborted
   */
  async next(withinMs: number, signal?: AbortSignal, also?: Promise<unknown>): Promise<void> {
    signal?.throwIfAborted()
    if (this.changes === this.seen) await this.change(withinMs, signal, also)
    this.seen = this.changes
    signal?.throwIfAborted()
  }

  [Symbol.dispose](): void {
    this.watcher?.close()
  }

  private change(withinMs: number, signal?: AbortSignal, also?: Promise<unknown>): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', end)
        this.wake = undefined
        resolve()
      }
      const timer = setTimeout(end, withinMs)
      this.wake = end
      signal?.addEventListener('abort', end, { once: true })
      also?.then(end, end)
    })
  }
}

function openWatcher(path: string, changed: () => void): FSWatcher | undefined {
  try {
    // An error later (the directory is gone) is a change like any other: the next look at the directory tells.
    return watch(path, changed).on('error', changed)
  } catch {
    return undefined // no watch to be had (inotify's limits): the timer of next() does the work
  }
}
