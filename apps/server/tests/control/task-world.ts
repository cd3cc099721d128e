/** A real store with one pool and one workspace, a clock the test moves, and a link that remembers what agents were told. */
import type { TaskCreate, TaskType, WorkspaceCreate } from '@iac-agent/protocol'
import { type Clock, silentLogger } from '@iac-agent/runtime'
import type { AgentCaller } from '../../src/domain/attempts/agent-caller.js'
import { leaseToken } from '../../src/domain/attempts/lease-token.js'
import { createPool } from '../../src/domain/auth/pools.js'
import { Reconciler, type ReconcilerOptions } from '../../src/domain/reconciler.js'
import { createTask } from '../../src/domain/tasks/create-task.js'
import { getTask } from '../../src/domain/tasks/task-view.js'
import { createWorkspace } from '../../src/domain/workspaces/workspaces.js'
import { type AttemptRow, findAttempt } from '../../src/store/attempt-rows.js'
import { temporaryStore } from '../store/temporary-store.js'
import { connectAs } from './connect-as.js'
import { RememberingLink } from './remembering-link.js'

class TestClock implements Clock {
  #now = Date.parse('2026-01-01T00:00:00Z')
  #monotonic = this.#now
  now(): number {
    return this.#now
  }
  monotonic(): number {
    return this.#monotonic
  }
  advance(ms: number): void {
    this.#now += ms
    this.#monotonic += ms
  }
  /** Somebody sets the clock of the host, so many milliseconds forward or back. */
  set(ms: number): void {
    this.#now += ms
  }
  /** As for a process that begins now. */
  restart(): void {
    this.#monotonic = this.#now
  }
}

const timings = {
  heartbeatIntervalMs: 10_000,
  leaseTtlMs: 60_000,
  offerTimeoutMs: 10_000,
  seedOfferTimeoutMs: 60_000,
}

export type TaskWorld = Awaited<ReturnType<typeof taskWorld>>

export async function taskWorld(settings: Partial<WorkspaceCreate> = {}) {
  const { store, [Symbol.asyncDispose]: dispose } = await temporaryStore()
  const clock = new TestClock()
  const link = new RememberingLink()
  const deps = { store, clock, link, ...timings }
  const pool = await createPool(deps, { name: 'pool' })
  const workspace = await createWorkspace(deps, { name: 'prod', pool_id: pool.id, tf_code: {}, ...settings })
  const newReconciler = (over: Partial<ReconcilerOptions> = {}) =>
    new Reconciler({ ...deps, logger: silentLogger(), ...over })
  const reconciler = newReconciler()

  return {
    ...deps,
    pool,
    workspace,
    reconciler,
    newReconciler,
    connect: (agentId: string, over: { isSeedOnly?: boolean; workRoot?: string; planLimit?: number } = {}) =>
      connectAs(deps, { agentId, poolId: pool.id, ...over }),
    create: async (task_type: TaskType, over: Partial<TaskCreate> & { workspaceId?: string } = {}): Promise<number> => {
      const { workspaceId = workspace.id, ...body } = over
      const { task } = await createTask(deps, { workspaceId, by: 'olga', body: { task_type, ...body } })
      return task.id
    },
    task: (taskId: number) => getTask(deps, { taskId }),
    attempt: (taskId: number, number: number) => store.read((reader) => findAttempt(reader, taskId, number)),
    /** What an agent with its lease calls with. */
    caller: async (taskId: number, number: number): Promise<AgentCaller> => {
      const attempt = (await store.read((reader) => findAttempt(reader, taskId, number))) as AttemptRow
      return { poolId: pool.id, keyId: 'key', agentId: attempt.agent_id, lease: leaseToken(attempt) }
    },
    /** Passes second by second, as the reconciler does. */
    passFor: async (ms: number, by: Reconciler = reconciler) => {
      for (let passed = 0; passed < ms; passed += 1_000) {
        clock.advance(1_000)
        await by.pass()
      }
    },
    [Symbol.asyncDispose]: dispose,
  }
}
