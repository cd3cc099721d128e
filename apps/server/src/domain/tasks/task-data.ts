/** The data document: everything an agent needs to run one attempt. The state's bytes go in as they are stored. */
import { ApiError, type DataTask, type Phase, parse, TaskContext } from '@iac-agent/protocol'
import type { Clock } from '@iac-agent/runtime'
import { noteAttempt } from '../../store/attempt-rows.js'
import { readParts } from '../../store/blobs.js'
import { type CurrentState, currentStateRow } from '../../store/hold-rows.js'
import type { Store } from '../../store/store.js'
import { findSnapshot, type TaskRow } from '../../store/task-rows.js'
import type { AgentCaller } from '../attempts/agent-caller.js'
import { requireAttempt } from '../attempts/require-attempt.js'
import { rfc3339 } from '../rfc3339.js'
import { parseSnapshot } from './task-snapshot.js'

/**
 * Answers the document as JSON text, in pieces. A plan's base state is recorded with its first reading.
 * @throws ApiError `stale_lease` for an attempt that no longer counts: it must not read secrets
 */
export async function taskData(
  deps: { store: Store; clock: Clock },
  input: { caller: AgentCaller; taskId: number; includeState: boolean },
): Promise<Buffer[]> {
  const { document, state } = await deps.store.transaction('read_task_data', async (tx) => {
    const { task, attempt, stale } = await requireAttempt(tx, input.caller, input.taskId, deps.clock)
    if (stale) throw new ApiError('stale_lease', `this attempt of task ${task.id} no longer counts`)
    const snapshot = parseSnapshot(await findSnapshot(tx, task.id), task.id)
    const { lineage, current } = await currentStateRow(tx, task.workspace_id)
    if (attempt.phase === 'plan' && attempt.base_state_version === null) {
      await noteAttempt(tx, attempt, { base_state_version: current?.id ?? 0 })
    }
    const { configuration, workspace, resources, variables } = snapshot
    const head = {
      task: dataTask(task, attempt.phase, attempt.number),
      workspace: { ...workspace, lineage },
      resources,
      variables,
      ...(configuration === null ? {} : { configuration }),
    }
    return { document: head, state: current }
  })
  const text = Buffer.from(JSON.stringify(document))
  return state === undefined ? [text] : withState(text, state, await contentOf(deps.store, state, input.includeState))
}

function dataTask(task: TaskRow, action: Phase, attempt: number): DataTask {
  return {
    id: task.id,
    workspace_id: task.workspace_id,
    task_type: task.task_type,
    action,
    context: parse(TaskContext, JSON.parse(task.context), `context of task ${task.id}`),
    attempt,
    created_at: rfc3339(task.created_at),
  }
}

async function contentOf(store: Store, state: CurrentState, isIncluded: boolean): Promise<Buffer[] | undefined> {
  return isIncluded ? readParts(store, state.sha256) : undefined
}

/** Adds `state_version` before the document's closing brace: parsing the state would change its large numbers. */
function withState(document: Buffer, state: CurrentState, content: Buffer[] | undefined): Buffer[] {
  const { version, sha256: checksum, size_bytes: size, serial } = state
  const facts = JSON.stringify({ version, checksum, size, ...(serial === null ? {} : { serial }) })
  const head = `,"state_version":${facts.slice(0, -1)}${content === undefined ? '}}' : ',"content":'}`
  const beginning = Buffer.concat([document.subarray(0, -1), Buffer.from(head)])
  return content === undefined ? [beginning] : [beginning, ...content, Buffer.from('}}')]
}
