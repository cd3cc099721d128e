/** While somebody watches a task's log, its agent sends it live; this tells the agent that runs it now. */
import type { Logger } from '@iac-agent/runtime'
import type { Store } from '../../store/store.js'
import { findTask } from '../../store/task-rows.js'
import type { AgentLink } from '../ports.js'
import type { LogWatch } from './log-watch.js'

export interface ViewerRelayDeps {
  store: Store
  logs: LogWatch
  link: AgentLink
  logger: Logger
}

export class ViewerRelay implements Disposable {
  /** which agent was told to send which task */
  readonly #told = new Map<number, string>()
  readonly #unsubscribe: (() => void)[]

  constructor(private readonly deps: ViewerRelayDeps) {
    this.#unsubscribe = [
      deps.logs.onWatched((taskId) => void this.#look(taskId)),
      deps.store.changes.subscribe((changes) => {
        for (const change of changes)
          if (change.kind === 'task' && deps.logs.isWatched(change.taskId)) void this.#look(change.taskId)
      }),
    ]
  }

  [Symbol.dispose](): void {
    for (const unsubscribe of this.#unsubscribe) unsubscribe()
  }

  /** Never rejects: live frames only make a log faster, so a failure costs nothing but that. */
  async #look(taskId: number): Promise<void> {
    try {
      const task = await this.deps.store.read((reader) => findTask(reader, taskId))
      const isWanted = task?.status === 'running' && this.deps.logs.isWatched(taskId)
      this.#tell(taskId, isWanted ? (task.agent_id ?? undefined) : undefined)
    } catch (err) {
      this.deps.logger.warn({ err, task_id: taskId }, 'viewers of a log not relayed')
    }
  }

  #tell(taskId: number, agentId: string | undefined): void {
    const told = this.#told.get(taskId)
    if (told === agentId) return
    if (told !== undefined) {
      this.#told.delete(taskId)
      this.deps.link.stopRealtimeStream(told, taskId)
    }
    if (agentId === undefined) return
    this.#told.set(taskId, agentId)
    this.deps.link.startRealtimeStream(agentId, taskId)
  }
}
