/** The data document: everything an agent needs to run one attempt. The state's bytes go in as they are stored. */
import { ApiError } from '@iac-agent/protocol'
import type { Clock } from '@iac-agent/runtime'
import { noteAttempt } from '../../store/attempt-rows.js'
import { readParts } from '../../store/blobs.js'
import type { FencedAttemptRow } from '../../store/fence-rows.js'
import { type CurrentState, currentStateRow } from '../../store/hold-rows.js'
import type { Reader, Store } from '../../store/store.js'
import type { AgentCaller } from '../attempts/agent-caller.js'
import type { FencedAttempt } from '../attempts/fenced-attempt.js'
import { isTouched, requireAttempt, requireAttemptRead } from '../attempts/require-attempt.js'
import { taskText } from './task-text.js'

/** The document up to its closing brace, and the state that goes before that. */
interface Beginning {
  readonly text: string
  readonly state: CurrentState | undefined
}

/**
 * Answers the document as JSON text, in pieces when it holds a state. A plan's base state is recorded with its first reading; a reading
 * that changes nothing takes no turn in the write queue.
 * @throws ApiError `stale_lease` for an attempt that no longer counts: it must not read secrets
 */
export async function taskData(
  deps: { store: Store; clock: Clock },
  input: { caller: AgentCaller; taskId: number; includeState: boolean },
): Promise<string | Buffer[]> {
  const { store, clock } = deps
  const read = await store.read(async (reader) => {
    const fenced = await requireAttemptRead(reader, input.caller, input.taskId)
    const isUnchanged = isTouched(fenced, clock) && !isFirstReading(fenced.attempt)
    return isUnchanged
      ? beginning(store, reader, fenced, await currentStateRow(reader, fenced.task.workspace_id))
      : undefined
  })
  const { text, state } = read ?? (await firstData(deps, input))
  if (state === undefined) return `${text}}`
  return input.includeState ? withState(text, state, await readParts(store, state.sha256)) : withoutState(text, state)
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

function isFirstReading({ phase, base_state_version: base }: FencedAttemptRow): boolean {
  return phase === 'plan' && base === null
}

async function beginning(
  store: Store,
  reader: Reader,
  { task, attempt: { phase, number } }: FencedAttempt,
  { lineage, current }: { lineage: string; current: CurrentState | undefined },
): Promise<Beginning> {
  const { task: facts, snapshot } = await taskText(store, reader, task)
  const text = `{"task":{${facts}"action":"${phase}","attempt":${number}},"workspace":{"lineage":${JSON.stringify(lineage)},${snapshot}`
  return { text, state: current }
}

function withoutState(text: string, state: CurrentState): string {
  return `${text},"state_version":{${factsOf(state)}}}`
}

/** Parsing the state would change its large numbers. */
function withState(text: string, state: CurrentState, content: Buffer[]): Buffer[] {
  const head = Buffer.from(`${text},"state_version":{${factsOf(state)},"content":`)
  return [head, ...content, Buffer.from('}}')]
}

/** As JSON members. */
function factsOf({ version, sha256: checksum, size_bytes: size, serial }: CurrentState): string {
  return JSON.stringify({ version, checksum, size, ...(serial === null ? {} : { serial }) }).slice(1, -1)
}
