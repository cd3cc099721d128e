/** The operator: queues, confirms, discards and cancels over a network that breaks, and says everything again until it is answered. */
import { setTimeout as elapsed } from 'node:timers/promises'
import { NoAnswer, type OperatorClient, StrangeAnswer } from '@iac-agent/client'
import { ApiError, type Task } from '@iac-agent/protocol'
import { type Asked, newHistory, type TaskHistory } from './history.js'
import { moduleOf, secretOf } from './modules.js'
import type { PlannedWorkspace } from './workload.js'

const againAfterMs = 200
const lookEveryMs = 250
const patienceMs = 2_000

export class Operator {
  readonly histories: TaskHistory[] = []
  readonly #client: OperatorClient

  constructor(client: OperatorClient) {
    this.#client = client
  }

  /** Before any fault. */
  async makeWorkspaces(planned: readonly PlannedWorkspace[], poolId: string): Promise<void> {
    for (const workspace of planned) {
      const { name, autoApply: auto_apply, module } = workspace
      const body = { name, pool_id: poolId, auto_apply, tf_code: moduleOf(module) }
      const { id } = await this.#client.workspaces.create({ body })
      const value = secretOf(workspace)
      const variable = { key: 'secret', value: value ?? '', category: 'terraform', sensitive: true } as const
      if (value !== undefined) await this.#client.variables.create({ params: { id }, body: variable })
      for (const task of workspace.tasks) this.histories.push(newHistory(task, workspace, id))
    }
  }

  /** Does what is planned, each at its time. Resolves when all is acknowledged, and nothing waits for an answer until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const startedAt = performance.now()
    const until = (atMs: number) => elapsed(Math.max(0, atMs - (performance.now() - startedAt)))
    await Promise.all([
      ...this.histories.map(async (history) => {
        await until(history.plan.atMs)
        await this.#create(history)
      }),
      ...this.histories.map(async (history) => {
        const { cancel } = history.plan
        if (cancel === undefined) return
        await until(cancel.atMs)
        await this.#cancel(history, cancel.force)
      }),
      this.#answerPlans(signal),
    ])
  }

  async #create(history: TaskHistory): Promise<void> {
    const { plan, workspaceId } = history
    history.created = await this.#ask(async (signal) => {
      const headers = { 'idempotency-key': plan.key }
      const body = { task_type: plan.type, description: plan.key }
      const task = await this.#client.tasks.create({ params: { id: workspaceId }, body, headers, signal })
      history.id = task.id
    })
  }

  async #cancel(history: TaskHistory, force: boolean): Promise<void> {
    while (history.id === undefined) await elapsed(againAfterMs)
    const params = { id: history.id }
    const asked = { sentAt: Date.now(), force }
    history.cancels.push(asked)
    await this.#ask((signal) => this.#client.tasks.cancel({ params, body: { force }, signal }), asked)
  }

  /** Looks who waits for a person, and answers some time after it was first seen. */
  async #answerPlans(stop: AbortSignal): Promise<void> {
    const answers = new Map<number, Promise<void>>()
    while (!stop.aborted) {
      for (const task of await this.#waiting()) {
        const history = this.histories.find(
          ({ id, workspaceId }) => id === task.id && workspaceId === task.workspace_id,
        )
        if (history === undefined || history.workspace.autoApply || task.confirmed_at !== null || answers.has(task.id))
          continue
        answers.set(task.id, this.#answer(history, task.id))
      }
      await elapsed(lookEveryMs)
    }
    await Promise.all(answers.values())
  }

  async #answer({ plan, confirms, discards }: TaskHistory, id: number): Promise<void> {
    await elapsed(plan.answerAfterMs)
    const asked: Asked = { sentAt: Date.now() }
    const { tasks } = this.#client
    if (plan.answer === 'confirm') {
      confirms.push(asked)
      await this.#ask((signal) => tasks.confirm({ params: { id }, signal }), asked)
    } else {
      discards.push(asked)
      await this.#ask((signal) => tasks.discard({ params: { id }, signal }), asked)
    }
  }

  async #waiting(): Promise<readonly Task[]> {
    try {
      const signal = AbortSignal.timeout(patienceMs)
      return (await this.#client.tasks.list({ query: { status: 'apply_pending', limit: 200 }, signal })).items
    } catch (error) {
      if (isPassing(error)) return [] // looked again soon
      throw error
    }
  }

  /** Until there is an answer, a verdict too. */
  async #ask(call: (signal: AbortSignal) => Promise<unknown>, asked: Asked = { sentAt: Date.now() }): Promise<Asked> {
    for (;;) {
      try {
        await call(AbortSignal.timeout(patienceMs))
        return Object.assign(asked, { acknowledgedAt: Date.now() })
      } catch (error) {
        if (error instanceof ApiError && !error.isRetryable) return Object.assign(asked, { refused: error.code })
        if (!isPassing(error)) throw error
      }
      await elapsed(againAfterMs)
    }
  }
}

/** The network's fault, or the server's for now. */
function isPassing(error: unknown): boolean {
  return error instanceof NoAnswer || error instanceof StrangeAnswer || (error instanceof ApiError && error.isRetryable)
}
