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

const opening = '{"workspace":{'
const withoutConfiguration = ',"configuration":null}'

/**
 * The fields of a snapshot as they follow others in the data document: the very text that is stored, from behind the opening brace of its
 * workspace up to its own closing one. A configuration of null is left out.
 * @throws Error when the task has none, InvalidInput when it is damaged
 */
export function snapshotFields(document: string | undefined, taskId: number): string {
  parseSnapshot(document, taskId)
  if (!document?.startsWith(opening)) throw new Error(`the snapshot of task ${taskId} was not made here`)
  return document.slice(opening.length, document.endsWith(withoutConfiguration) ? -withoutConfiguration.length : -1)
}

/** @throws Error when the task has none, InvalidInput when it is damaged */
export function parseSnapshot(document: string | undefined, taskId: number): TaskSnapshot {
  if (document === undefined) throw new Error(`task ${taskId} has no snapshot`)
  return parse(TaskSnapshot, JSON.parse(document), `snapshot of task ${taskId}`)
}
