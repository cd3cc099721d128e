/** The data document: everything an agent needs to run one attempt. The state's bytes go in as they are stored. */
import { ApiError, type DataTask, type Phase, parse, TaskContext } from '@iac-agent/protocol'
import type { Clock } from '@iac-agent/runtime'
import { type AttemptRow, noteAttempt } from '../../store/attempt-rows.js'
import { readParts } from '../../store/blobs.js'
import { type CurrentState, currentStateRow } from '../../store/hold-rows.js'
import type { Reader, Store } from '../../store/store.js'
import { findSnapshotBytes, type TaskRow } from '../../store/task-rows.js'
import type { AgentCaller } from '../attempts/agent-caller.js'
import type { FencedAttempt } from '../attempts/fenced-attempt.js'
import { isTouched, requireAttempt, requireAttemptRead } from '../attempts/require-attempt.js'
import { rfc3339 } from '../rfc3339.js'
import { spliceSnapshot } from './task-snapshot.js'

/** The document up to its closing brace, and the state that goes before that. */
interface Beginning {
  readonly text: Buffer[]
  readonly state: CurrentState | undefined
}

/**
 * Answers the document as JSON text, in pieces. A plan's base state is recorded with its first reading; a reading that changes nothing
 * takes no turn in the write queue.
 * @throws ApiError `stale_lease` for an attempt that no longer counts: it must not read secrets
 */
export async function taskData(
  deps: { store: Store; clock: Clock },
  input: { caller: AgentCaller; taskId: number; includeState: boolean },
): Promise<Buffer[]> {
  const { store, clock } = deps
  const read = await store.read(async (reader) => {
    const fenced = await requireAttemptRead(reader, input.caller, input.taskId)
    const isUnchanged = isTouched(fenced, clock) && !isFirstReading(fenced.attempt)
    return isUnchanged
      ? beginning(store, reader, fenced, await currentStateRow(reader, fenced.task.workspace_id))
      : undefined
  })
  const { text, state } = read ?? (await firstData(deps, input))
  if (state === undefined) return [Buffer.concat([...text, closing])]
  return withState(text, state, await contentOf(store, state, input.includeState))
}

function firstData(
  { store, clock }: { store: Store; clock: Clock },
  { caller, taskId }: { caller: AgentCaller; taskId: number },
): Promise<Beginning> {
  return store.transaction('read_task_data', async (tx) => {
    const fenced = await requireAttempt(tx, caller, taskId, clock)
    if (fenced.stale) throw new ApiError('stale_lease', `this attempt of task ${taskId} no longer counts`)
    const states = await currentStateRow(tx, fenced.task.workspace_id)
    if (isFirstReading(fenced.attempt))
      await noteAttempt(tx, fenced.attempt, { base_state_version: states.current?.id ?? 0 })
    return beginning(store, tx, fenced, states)
  })
}

function isFirstReading({ phase, base_state_version: base }: AttemptRow): boolean {
  return phase === 'plan' && base === null
}

function beginning(
  store: Store,
  reader: Reader,
  { task, attempt }: FencedAttempt,
  { lineage, current }: { lineage: string; current: CurrentState | undefined },
): Beginning {
  const head = `{"task":${JSON.stringify(dataTask(task, attempt.phase, attempt.number))}`
  const document = findSnapshotBytes(reader, task.id)
  const snapshot = spliceSnapshot(store, document, `"lineage":${JSON.stringify(lineage)}`, task.id)
  return { text: [Buffer.from(head), ...snapshot], state: current }
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

const closing = Buffer.from('}')

/** Adds `state_version` before the document's closing brace: parsing the state would change its large numbers. */
function withState(text: Buffer[], state: CurrentState, content: Buffer[] | undefined): Buffer[] {
  const { version, sha256: checksum, size_bytes: size, serial } = state
  const facts = JSON.stringify({ version, checksum, size, ...(serial === null ? {} : { serial }) })
  const head = `,"state_version":${facts.slice(0, -1)}${content === undefined ? '}}' : ',"content":'}`
  const beginning = Buffer.concat([...text, Buffer.from(head)])
  return content === undefined ? [beginning] : [beginning, ...content, Buffer.from('}}')]
}
