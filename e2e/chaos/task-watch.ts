/** Looks at the tasks of a round again and again, and remembers when each was first seen final, and as what. */
import { setTimeout as elapsed } from 'node:timers/promises'
import { NoAnswer, type OperatorClient, StrangeAnswer } from '@iac-agent/client'
import { ApiError, isFinal, type Task } from '@iac-agent/protocol'

/** What was seen of one task. Times in epoch ms. */
interface Seen {
  readonly finals: string[]
  finalAt?: number
  hasBegun: boolean
  newest: Task
}

export class TaskWatch {
  readonly #seen = new Map<number, Seen>()

  constructor(
    private readonly client: OperatorClient,
    private readonly isOurs: (task: Task) => boolean,
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
    const tasks = await this.#list()
    for (const task of tasks ?? []) if (this.isOurs(task)) this.#note(task)
    return tasks !== undefined
  }

  finalsOf(id: number): readonly string[] {
    return this.#seen.get(id)?.finals ?? []
  }

  finalAt(id: number): number | undefined {
    return this.#seen.get(id)?.finalAt
  }

  /** Running, as last seen. */
  running(): number[] {
    return [...this.#seen].filter(([, { newest }]) => newest.status === 'running').map(([id]) => id)
  }

  newest(id: number): Task | undefined {
    return this.#seen.get(id)?.newest
  }

  #note(task: Task): void {
    const seen = this.#seen.get(task.id) ?? { finals: [], hasBegun: false, newest: task }
    this.#seen.set(task.id, seen)
    seen.newest = task
    if (isFinal(task.status) && seen.finals.at(-1) !== task.status) {
      seen.finals.push(task.status)
      seen.finalAt ??= Date.now()
    }
    if (!isFinal(task.status) && seen.finals.length > 0) seen.finals.push(task.status)
  }

  /** Newest first, two pages: a round has fewer tasks. */
  async #list(): Promise<Task[] | undefined> {
    try {
      const signal = AbortSignal.timeout(2_000)
      return (await this.client.tasks.list({ query: { limit: 200 }, signal })).items
    } catch (error) {
      if (
        error instanceof NoAnswer ||
        error instanceof StrangeAnswer ||
        (error instanceof ApiError && error.isRetryable)
      )
        return undefined
      throw error
    }
  }
}
