/** A person gives up an apply whose agent is not heard any more. No timer ever does. */
import { ApiError, type Task } from '@iac-agent/protocol'
import type { Clock } from '@iac-agent/runtime'
import { findAgent } from '../../store/agent-rows.js'
import { type AttemptRow, endAttempt, findAttempt } from '../../store/attempt-rows.js'
import type { Store, Tx } from '../../store/store.js'
import type { TaskRow } from '../../store/task-rows.js'
import { lockForLostApply } from '../workspaces/workspace-lock.js'
import { requireTask } from './confirm-task.js'
import { moveTask } from './move-task.js'
import { getTask } from './task-view.js'

export interface DeclareLost {
  readonly taskId: number
  readonly by: string
  /** typed by the person, who so says which machine was looked at */
  readonly agentName: string
}

/**
 * The task fails as `lost` and its attempt is over: what the agent still sends is late data. The workspace stays locked until a
 * person unlocks it. The agent hears `forget` when it is heard again. Idempotent.
 * @throws ApiError `not_found`, `illegal_transition` for anything but an unreachable apply, `invalid_request` for another agent's name
 */
export async function declareLost(deps: { store: Store; clock: Clock }, input: DeclareLost): Promise<Task> {
  await deps.store.transaction('declare_lost', async (tx) => {
    const task = await requireTask(tx, input.taskId)
    if (task.error_code === 'lost') return
    const attempt = await requireUnreachableApply(tx, task)
    await requireName(tx, attempt, input.agentName)
    const now = deps.clock.now()
    await endAttempt(tx, attempt, { outcome: 'lost' }, now)
    const error_message = `${input.by} declared this apply lost: nothing was heard of agent ${input.agentName} any more`
    await moveTask(tx, task, 'apply', { kind: 'failed' }, now, { error_code: 'lost', error_message })
    const reason = `the apply of task ${task.id} was declared lost: compare the state with what exists, then unlock`
    await lockForLostApply(tx, { workspaceId: task.workspace_id, taskId: task.id, now, reason })
  })
  return getTask(deps, input)
}

async function requireUnreachableApply(tx: Tx, task: TaskRow): Promise<AttemptRow> {
  const attempt = task.attempt === 0 ? undefined : await findAttempt(tx, task.id, task.attempt)
  const isApply = attempt?.phase === 'apply' && attempt.state === 'live' && task.status === 'running'
  if (isApply && task.unreachable_since !== null) return attempt
  const what = isApply ? 'its agent is heard' : `it is ${task.status}, and no apply of it runs`
  throw new ApiError('illegal_transition', `task ${task.id} is not an unreachable apply: ${what}`, {
    status: task.status,
  })
}

async function requireName(tx: Tx, attempt: AttemptRow, agentName: string): Promise<void> {
  const name = (await findAgent(tx, attempt.agent_id))?.name ?? attempt.agent_id
  if (name === agentName) return
  throw new ApiError(
    'invalid_request',
    `agent_name is not the name of the agent that applies task ${attempt.task_id}`,
    {
      field: 'agent_name',
      agent_id: attempt.agent_id,
    },
  )
}
