/** What the data document of a task says for as long as the task exists, as JSON text. */
import type { DataTask } from '@iac-agent/protocol'
import type { FencedTask } from '../../store/fence-rows.js'
import type { Reader, Store } from '../../store/store.js'
import { findSnapshot } from '../../store/task-rows.js'
import { rfc3339 } from '../rfc3339.js'
import { snapshotFields } from './task-snapshot.js'

export interface TaskText {
  /** members of `task` but those of the attempt, with a comma at the end */
  readonly task: string
  /** members of `workspace` but its lineage, its closing brace, and what follows it */
  readonly snapshot: string
}

/** By store and task. The texts of a task never change, nor does another task get its number: nothing makes them untrue. */
const known = new WeakMap<Store, Map<number, TaskText>>()
const mostKnown = 256
/** Longer ones are made anew each time. */
const longestKnown = 64 * 1024

/** @throws Error when the task has no snapshot, InvalidInput when it is damaged */
export async function taskText(store: Store, reader: Reader, task: FencedTask): Promise<TaskText> {
  const texts = known.get(store) ?? new Map<number, TaskText>()
  const kept = texts.get(task.id)
  if (kept !== undefined) return kept
  const made = { task: factsOf(task), snapshot: snapshotFields(await findSnapshot(reader, task.id), task.id) }
  if (made.snapshot.length > longestKnown) return made
  const [oldest] = texts.keys()
  if (oldest !== undefined && texts.size >= mostKnown) texts.delete(oldest)
  known.set(store, texts.set(task.id, made))
  return made
}

/** Its context is JSON text already, made when the task was. */
function factsOf({ id, workspace_id, task_type, context, created_at }: FencedTask): string {
  const facts: Pick<DataTask, 'id' | 'workspace_id' | 'task_type' | 'created_at'> = {
    id,
    workspace_id,
    task_type,
    created_at: rfc3339(created_at),
  }
  return `${JSON.stringify(facts).slice(1, -1)},"context":${context},`
}
