/** Queues a task: its inputs are frozen now, in the same transaction as its row. */
import { createHash } from 'node:crypto'
import { ApiError, type Task, type TaskContext, type TaskCreate } from '@iac-agent/protocol'
import type { Clock } from '@iac-agent/runtime'
import { deleteIdempotencyKey, findIdempotencyKey, insertIdempotencyKey } from '../../store/idempotency-rows.js'
import type { Store, Tx } from '../../store/store.js'
import { findTask, insertSnapshot, insertTask } from '../../store/task-rows.js'
import { createSnapshot } from '../workspaces/create-snapshot.js'
import { requireWorkspace } from '../workspaces/require-workspace.js'
import { getTask } from './task-view.js'

export interface CreateTask {
  /** an id, or `name:…` */
  readonly workspaceId: string
  readonly by: string
  readonly body: TaskCreate
  readonly idempotencyKey?: string | undefined
}

/**
 * Idempotent by `idempotencyKey` (per operator): a repeat answers the task that was made, `created: false`.
 * @throws ApiError `not_found`, `conflict` when the key came with another request before
 */
export async function createTask(
  deps: { store: Store; clock: Clock },
  input: CreateTask,
): Promise<{ task: Task; created: boolean }> {
  const { taskId, created } = await deps.store.transaction('create_task', async (tx) => {
    const workspace = await requireWorkspace(tx, input.workspaceId)
    const known = await repeated(tx, input, workspace.id)
    if (known !== undefined) return { taskId: known, created: false }
    const made = await insert(tx, input, workspace, deps.clock.now())
    return { taskId: made, created: true }
  })
  return { task: await getTask(deps, { taskId }), created }
}

/** A key whose task was deleted with its workspace is free again. */
async function repeated(tx: Tx, input: CreateTask, workspaceId: string): Promise<number | undefined> {
  if (input.idempotencyKey === undefined) return undefined
  const known = await findIdempotencyKey(tx, scopeOf(input), input.idempotencyKey)
  if (known === undefined) return undefined
  if ((await findTask(tx, known.task_id)) === undefined) {
    await deleteIdempotencyKey(tx, scopeOf(input), input.idempotencyKey)
    return undefined
  }
  if (known.request_sha256 === fingerprint(workspaceId, input.body)) return known.task_id
  throw new ApiError('conflict', 'this Idempotency-Key was used with another request', { task_id: known.task_id })
}

async function insert(
  tx: Tx,
  input: CreateTask,
  workspace: { id: string; pool_id: string },
  now: number,
): Promise<number> {
  const taskId = await insertTask(tx, {
    workspace_id: workspace.id,
    pool_id: workspace.pool_id,
    task_type: input.body.task_type,
    status: 'pending',
    stage: 'pending',
    description: input.body.description ?? null,
    context: JSON.stringify(contextOf(input.body)),
    created_by: input.by,
    created_at: now,
  })
  await insertSnapshot(tx, taskId, JSON.stringify(await createSnapshot(tx, workspace.id)))
  if (input.idempotencyKey !== undefined) {
    const key = { scope: scopeOf(input), key: input.idempotencyKey }
    const request_sha256 = fingerprint(workspace.id, input.body)
    await insertIdempotencyKey(tx, { ...key, request_sha256, task_id: taskId, created_at: now })
  }
  tx.changed({ kind: 'task', taskId })
  return taskId
}

function contextOf(body: TaskCreate): TaskContext {
  return {
    targets: body.targets ?? [],
    replace: body.replace ?? [],
    refresh: body.refresh ?? true,
    description: body.description ?? null,
  }
}

function scopeOf(input: CreateTask): string {
  return `create-task ${input.by}`
}

function fingerprint(workspaceId: string, body: TaskCreate): string {
  const entries = Object.entries(body).sort(([a], [b]) => (a < b ? -1 : 1))
  return createHash('sha256')
    .update(JSON.stringify([workspaceId, entries]))
    .digest('hex')
}
