/** The operator: queues, confirms, discards and cancels over a network that breaks, and says everything again until it is answered. */
import { setTimeout as elapsed } from 'node:timers/promises'
import type { OperatorClient } from '@iac-agent/client'
import type { Task } from '@iac-agent/protocol'
import { againAfterMs, ask, glance } from './ask.js'
import type { Fleet } from './fleet.js'
import { type Asked, newHistory, type TaskHistory } from './history.js'
import { moduleOf, secretOf } from './modules.js'
import type { PlannedWorkspace } from './workload.js'

const lookEveryMs = 250

export class Operator {
  readonly histories: TaskHistory[] = []
  readonly #fleet: Fleet
  readonly #client: OperatorClient
  #isCalm = false

  constructor(fleet: Fleet) {
    this.#fleet = fleet
    this.#client = fleet.shakyClient
  }

  /** Before any fault. */
  async makeWorkspaces(planned: readonly PlannedWorkspace[]): Promise<void> {
    for (const workspace of planned) {
      const { name, autoApply: auto_apply, module } = workspace
      const body = { name, pool_id: this.#fleet.pool.poolId, auto_apply, tf_code: moduleOf(module) }
      const { id } = await this.#client.workspaces.create({ body })
      const value = secretOf(workspace)
      const variable = { key: 'secret', value: value ?? '', category: 'terraform', sensitive: true } as const
      if (value !== undefined) await this.#client.variables.create({ params: { id }, body: variable })
      for (const task of workspace.tasks) this.histories.push(newHistory(task, workspace, id))
    }
  }

  /** All is healed and every agent has told what it knows: whatever waited for that goes on. */
  calm(): void {
    this.#isCalm = true
  }

  /** Does what is planned, each at its time. Resolves when all is acknowledged, and nothing waits for an answer until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const startedAt = performance.now()
    const until = (atMs: number) => elapsed(Math.max(0, atMs - (performance.now() - startedAt)))
    await Promise.all([
      ...this.histories.map(async (history) => {
        await until(history.plan.atMs)
        await this.#create(history, signal)
      }),
      ...this.histories.map(async (history) => {
        if (history.plan.cancel === undefined) return
        await until(history.plan.cancel.atMs)
        await this.#cancel(history, history.plan.cancel.force, signal)
      }),
      this.#answerPlans(signal),
    ])
  }

  /** Gives up with the round: what an agent never ends leaves its workspace in doubt. */
  async #create(history: TaskHistory, stop: AbortSignal): Promise<void> {
    const { plan, workspaceId } = history
    while (this.#isInDoubt(workspaceId)) {
      if (stop.aborted) return
      await elapsed(againAfterMs)
    }
    history.created = { sentAt: Date.now() }
    await ask(history.created, async (signal) => {
      const headers = { 'idempotency-key': plan.key }
      const body = { task_type: plan.type, description: plan.key }
      const task = await this.#client.tasks.create({ params: { id: workspaceId }, body, headers, signal })
      history.id = task.id
    })
  }

  async #cancel(history: TaskHistory, force: boolean, stop: AbortSignal): Promise<void> {
    while (history.id === undefined) {
      if (stop.aborted) return
      await elapsed(againAfterMs)
    }
    const params = { id: history.id }
    const asked = { sentAt: Date.now(), force }
    history.cancels.push(asked)
    await ask(asked, (signal) => this.#client.tasks.cancel({ params, body: { force }, signal }))
  }

  /** Looks who waits for a person, and answers some time after it was first seen. */
  async #answerPlans(stop: AbortSignal): Promise<void> {
    const answers = new Map<string, Promise<void>>()
    while (!stop.aborted) {
      for (const task of await this.#waiting()) {
        const history = this.histories.find(({ plan }) => plan.key === task.description)
        if (history === undefined || history.workspace.autoApply || task.confirmed_at !== null) continue
        if (answers.has(history.plan.key) || this.#isInDoubt(history.workspaceId)) continue
        answers.set(history.plan.key, this.#answer(history, task.id))
      }
      await elapsed(lookEveryMs)
    }
    await Promise.all(answers.values())
  }

  async #answer(history: TaskHistory, id: number): Promise<void> {
    const { plan, confirms, discards } = history
    await elapsed(plan.answerAfterMs)
    if (this.#isInDoubt(history.workspaceId)) return
    const asked: Asked = { sentAt: Date.now() }
    const { tasks } = this.#client
    const params = { id }
    ;(plan.answer === 'confirm' ? confirms : discards).push(asked)
    await ask(asked, (signal) =>
      plan.answer === 'confirm' ? tasks.confirm({ params, signal }) : tasks.discard({ params, signal }),
    )
  }

  async #waiting(): Promise<readonly Task[]> {
    const query = { status: 'apply_pending', limit: 200 } as const
    const page = await glance((signal) => this.#client.tasks.list({ query, signal }))
    return page?.items ?? [] // looked again soon
  }

  /** After a restore, agents may know of applies that the server does not: nothing is begun in their workspaces before they said so. */
  #isInDoubt(workspaceId: string): boolean {
    const restore = this.#fleet.restores.at(-1)
    if (restore === undefined || this.#isCalm) return false
    return this.histories.some(
      (one) => one.workspaceId === workspaceId && (one.created?.sentAt ?? restore.downAt) < restore.downAt,
    )
  }
}
