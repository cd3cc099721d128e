/** Ours: an operator who posts a task to a server with an agent, and hears of its end. */
import type { OperatorClient } from '@iac-agent/client'
import { isFinal, type Task } from '@iac-agent/protocol'
import { timed } from '../measure/timed.js'
import { configurationOf, emptiedState } from './configuration.js'
import type { TaskEvents } from './task-events.js'

export class OurRun {
  #made = 0

  constructor(
    private readonly client: OperatorClient,
    private readonly poolId: string,
    private readonly events: TaskEvents,
  ) {}

  /** In a new workspace. Milliseconds. */
  async cold(resources: number): Promise<number> {
    const workspaceId = await this.#workspace(resources)
    return await timed(() => this.#apply(workspaceId))
  }

  /** In a workspace that has run before; answers what runs it again, with its state emptied. */
  async warm(resources: number): Promise<() => Promise<number>> {
    const workspaceId = await this.#workspace(resources)
    await this.#apply(workspaceId)
    return async () => {
      await this.#emptyState(workspaceId)
      return await timed(() => this.#apply(workspaceId))
    }
  }

  async #workspace(resources: number): Promise<string> {
    const tf_code = configurationOf(resources)
    const body = { name: `w${++this.#made}`, pool_id: this.poolId, tf_code, auto_apply: true }
    return (await this.client.workspaces.create({ body })).id
  }

  async #apply(id: string): Promise<void> {
    const { tasks } = this.client
    const task = await tasks.create({ params: { id }, body: { task_type: 'plan_and_apply' } })
    const ended = await this.events.until(task.id, async () => {
      const now = await tasks.get({ params: { id: task.id } })
      return isFinal(now.status) ? now : undefined
    })
    expectApplied(ended)
  }

  async #emptyState(id: string): Promise<void> {
    const { states } = this.client
    const current = await states.current({ params: { id } })
    const { lineage, serial } = (await current.json()) as { lineage: string; serial: number }
    await states.import({ params: { id }, body: emptiedState(lineage, serial + 1) })
  }
}

function expectApplied(task: Task): void {
  if (task.status !== 'applied') throw new Error(`task ${task.id} is ${task.status}: ${task.error_message ?? ''}`)
}
