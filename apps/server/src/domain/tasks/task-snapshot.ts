/** A task's inputs as they were when it was made: what is planned is what is applied, whatever is edited in between. */
import { DataConfiguration, DataResource, DataVariable, DataWorkspace, parse } from '@iac-agent/protocol'
import { type Static, Type } from 'typebox'

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

/**
 * The fields of a snapshot as they follow others in the data document: its very bytes, which were checked when they were frozen, with
 * `workspace` (members of an object, without its braces) put before those of its workspace. A configuration of null is left out.
 * @throws Error when the task has none, or it is not one of ours
 */
export function spliceSnapshot(document: Buffer | undefined, workspace: string, taskId: number): Buffer[] {
  if (document === undefined) throw new Error(`task ${taskId} has no snapshot`)
  const from = opening.length
  if (!document.subarray(0, from).equals(opening)) throw new Error(`the snapshot of task ${taskId} is damaged`)
  const isWithout = document.subarray(-withoutConfiguration.length).equals(withoutConfiguration)
  const to = document.length - (isWithout ? withoutConfiguration.length : 1)
  return [Buffer.from(`,"workspace":{${workspace},`), document.subarray(from, to)]
}

/** @throws Error when the task has none, InvalidInput when it is damaged */
export function parseSnapshot(document: string | undefined, taskId: number): TaskSnapshot {
  if (document === undefined) throw new Error(`task ${taskId} has no snapshot`)
  return parse(TaskSnapshot, JSON.parse(document), `snapshot of task ${taskId}`)
}
