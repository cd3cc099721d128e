/** Looks at the tasks of a round again and again, and remembers when each was first seen final, and as what. */
import { setTimeout as elapsed } from 'node:timers/promises'
import { isFinal, type Task } from '@iac-agent/protocol'
import { glance } from './ask.js'
import type { Fleet } from './fleet.js'

/** What was seen of one task. Times in epoch ms. */
interface Seen {
  finals: string[]
  firstFinalAt: number | undefined
  finalAt: number | undefined
  newest: Task
}

export class TaskWatch {
  /** By description: numbers may be given again by a restored server. */
  readonly #seen = new Map<string, Seen>()
  #there: ReadonlySet<string> = new Set()
  #restores = 0

  constructor(
    private readonly fleet: Fleet,
    private readonly keys: ReadonlySet<string>,
  ) {}

  /** Looks every `everyMs` until abort. */
  async run(everyMs: number, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.look()
      await elapsed(everyMs, undefined, { signal }).catch((error: unknown) => {
        if (!signal.aborted) throw error // else it was told to end
      })
    }
  }

  /** False when the server did not answer. */
  async look(): Promise<boolean> {
    const { restores, server } = this.fleet
    const life = restores.length
    const page = await glance((signal) => server.client.tasks.list({ query: { limit: 200 }, signal }))
    if (page === undefined || restores.length !== life) return false
    if (life > this.#restores) for (const seen of this.#seen.values()) seen.finals = []
    this.#restores = life
    this.#there = new Set(page.items.map(({ description }) => description ?? ''))
    for (const task of page.items) if (this.keys.has(task.description ?? '')) this.#note(task)
    return true
  }

  /** Since the last restore. */
  finalsOf(key: string): readonly string[] {
    return this.#seen.get(key)?.finals ?? []
  }

  /** When it was first seen final, in any life of the server. */
  firstFinalAt(key: string): number | undefined {
    return this.#seen.get(key)?.firstFinalAt
  }

  /** The same, in its last life. */
  finalAt(key: string): number | undefined {
    return this.#seen.get(key)?.finalAt
  }

  /** Known to the server at the last look. */
  isThere(key: string): boolean {
    return this.#there.has(key)
  }

  isFinal(key: string): boolean {
    const seen = this.#seen.get(key)
    return seen !== undefined && isFinal(seen.newest.status)
  }

  /** Running, as last seen. */
  running(): string[] {
    return [...this.#seen].filter(([, { newest }]) => newest.status === 'running').map(([key]) => key)
  }

  #note(task: Task): void {
    const key = task.description ?? ''
    const seen = this.#seen.get(key) ?? { finals: [], firstFinalAt: undefined, finalAt: undefined, newest: task }
    this.#seen.set(key, seen)
    seen.newest = task
    const hasChanged = seen.finals.length > 0 ? seen.finals.at(-1) !== task.status : isFinal(task.status)
    if (!hasChanged) return
    seen.finals.push(task.status)
    if (!isFinal(task.status)) return
    seen.finalAt = Date.now()
    seen.firstFinalAt ??= seen.finalAt
  }
}
