/** A task's inputs as they were when it was made: what is planned is what is applied, whatever is edited in between. */
import { DataConfiguration, DataResource, DataVariable, DataWorkspace, parse } from '@iac-agent/protocol'
import { type Static, Type } from 'typebox'
import type { Store } from '../../store/store.js'

/** Sensitive values are in clear here; the store keeps the document sealed. */
export const TaskSnapshot = Type.Object({
  workspace: Type.Omit(DataWorkspace, ['lineage']),
  resources: Type.Array(DataResource),
  variables: Type.Array(DataVariable),
  configuration: Type.Union([DataConfiguration, Type.Null()]),
})
export type TaskSnapshot = Static<typeof TaskSnapshot>

const opening = Buffer.from('{"workspace":{')
const withoutConfiguration = Buffer.from(',"configuration":null}')

/** Tasks of a store whose snapshot was found whole by this process: it never changes, so it is checked once. */
const checked = new WeakMap<Store, Set<number>>()
const mostChecked = 10_000

/**
 * The fields of a snapshot as they follow others in the data document, its closing brace left out: the very bytes that are stored, with
 * `workspace` (members of an object, without its braces) put before those of its workspace. A configuration of null is left out.
 * @throws Error when the task has none, InvalidInput when it is damaged
 */
export function spliceSnapshot(
  store: Store,
  document: Buffer | undefined,
  workspace: string,
  taskId: number,
): Buffer[] {
  if (document === undefined) throw missing(taskId)
  check(store, document, taskId)
  const from = opening.length
  if (!document.subarray(0, from).equals(opening)) throw new Error(`the snapshot of task ${taskId} was not made here`)
  const isWithout = document.subarray(-withoutConfiguration.length).equals(withoutConfiguration)
  const to = document.length - (isWithout ? withoutConfiguration.length : 1)
  return [Buffer.from(`,"workspace":{${workspace},`), document.subarray(from, to)]
}

function check(store: Store, document: Buffer, taskId: number): void {
  const known = checked.get(store) ?? new Set()
  if (known.has(taskId)) return
  parseSnapshot(document.toString('utf8'), taskId)
  if (known.size >= mostChecked) known.clear()
  checked.set(store, known.add(taskId))
}

/** @throws Error when the task has none, InvalidInput when it is damaged */
export function parseSnapshot(document: string | undefined, taskId: number): TaskSnapshot {
  if (document === undefined) throw missing(taskId)
  return parse(TaskSnapshot, JSON.parse(document), `snapshot of task ${taskId}`)
}

function missing(taskId: number): Error {
  return new Error(`task ${taskId} has no snapshot`)
}
