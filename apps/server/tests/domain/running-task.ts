/** A workspace with one task whose attempt an agent is about to run: rows as placement leaves them. */
import type { Phase } from '@iac-agent/protocol'
import { systemClock } from '@iac-agent/runtime'
import type { AgentCaller } from '../../src/domain/attempts/agent-caller.js'
import { leaseToken } from '../../src/domain/attempts/lease-token.js'
import type { Store, Tx } from '../../src/store/store.js'
import { type TemporaryStore, temporaryStore } from '../store/temporary-store.js'

export const workspaceId = 'ws-test'
export const workspaceLineage = '11111111-2222-3333-4444-555555555555'

export interface RunningTask extends AsyncDisposable {
  readonly deps: { readonly store: Store; readonly clock: typeof systemClock }
  readonly taskId: number
  /** Offers the next attempt and answers who may speak for it; the one before becomes stale. */
  offer(phase: Phase, options?: { seedOnly?: boolean }): Promise<AgentCaller>
  /** Ends the newest attempt. */
  end(): Promise<void>
}

export async function runningTask(): Promise<RunningTask> {
  const opened = await temporaryStore()
  const taskId = await opened.store.transaction('create_task', insertTask)
  let attempt = 0
  return {
    deps: { store: opened.store, clock: systemClock },
    taskId,
    offer: (phase, { seedOnly = false } = {}) => offerAttempt(opened, taskId, ++attempt, phase, seedOnly),
    end: () => endAttempt(opened, taskId, attempt),
    [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
  }
}

async function insertTask(tx: Tx): Promise<number> {
  const now = systemClock.now()
  await tx.db.insertInto('pools').values({ id: 'pool-test', name: 'test', created_at: now }).execute()
  const agents = [
    { id: 'agent-new', registered_at: now },
    { id: 'agent-seed', registered_at: null },
  ].map((agent) => ({ ...agent, pool_id: 'pool-test', name: agent.id, created_at: now }))
  await tx.db.insertInto('agents').values(agents).execute()
  const workspace = { id: workspaceId, name: 'test', pool_id: 'pool-test', lineage: workspaceLineage }
  await tx.db
    .insertInto('workspaces')
    .values({ ...workspace, created_at: now, updated_at: now })
    .execute()
  const words = { task_type: 'plan_and_apply', status: 'pending', stage: 'pending', context: '{}' }
  const task = { workspace_id: workspaceId, pool_id: 'pool-test', ...words, created_at: now }
  return (await tx.db.insertInto('workspace_tasks').values(task).returning('id').executeTakeFirstOrThrow()).id
}

async function offerAttempt(
  { store }: TemporaryStore,
  taskId: number,
  number: number,
  phase: Phase,
  seedOnly: boolean,
): Promise<AgentCaller> {
  const agentId = seedOnly ? 'agent-seed' : 'agent-new'
  const row = { task_id: taskId, number, phase, agent_id: agentId, lease_salt: 'salt of a test' }
  const now = systemClock.now()
  await store.transaction('create_token', async (tx) => {
    await tx.db
      .insertInto('task_attempts')
      .values({
        ...row,
        seed_only: seedOnly,
        state: 'live',
        offered_at: now,
        accepted_at: now,
        lease_ttl_ms: 60_000,
        lease_expires_at: now + 60_000,
      })
      .execute()
    const moved = {
      attempt: number,
      agent_id: agentId,
      status: 'running',
      ...(phase === 'apply' ? { confirmed_plan: 1 } : {}),
    }
    await tx.db.updateTable('workspace_tasks').set(moved).where('id', '=', taskId).execute()
  })
  const caller = { poolId: 'pool-test', keyId: 'key-test', agentId }
  return seedOnly ? caller : { ...caller, lease: leaseToken(row) }
}

async function endAttempt({ store }: TemporaryStore, taskId: number, number: number): Promise<void> {
  await store.transaction('create_token', async (tx) => {
    const attempt = tx.db.updateTable('task_attempts').set({ state: 'final', ended_at: systemClock.now() })
    await attempt.where('task_id', '=', taskId).where('number', '=', number).execute()
    tx.changed({ kind: 'task', taskId })
  })
}
