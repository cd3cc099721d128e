/** How the state tests send states and look at what became of them. */
import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import type { AgentCaller } from '../../src/domain/attempts/agent-caller.js'
import { importState } from '../../src/domain/states/import-state.js'
import { receiveRawState, receiveWrappedState } from '../../src/domain/states/receive-state.js'
import { saveTaskState } from '../../src/domain/states/save-task-state.js'
import { currentStateContent } from '../../src/domain/states/state-view.js'
import { type RunningTask, workspaceId, workspaceLineage } from './running-task.js'

export const sha256 = (bytes: string | Buffer) => createHash('sha256').update(bytes).digest('hex')
export const stateText = (serial: number, more = '', lineage = workspaceLineage) =>
  `{\n  "version": 4,\n  "terraform_version": "1.9.8",\n  "serial": ${serial},\n  "lineage": "${lineage}",\n  "outputs": {},\n  "resources": []${more}\n}\n`

export async function post(task: RunningTask, caller: AgentCaller, text: string | Buffer, checksum?: string) {
  const draft = await receiveRawState(task.deps, Readable.from([Buffer.from(text)]), checksum)
  return saveTaskState(task.deps, { caller, taskId: task.taskId, draft })
}

export async function postWrapped(task: RunningTask, caller: AgentCaller, body: string) {
  const draft = await receiveWrappedState(task.deps, Buffer.from(body))
  return saveTaskState(task.deps, { caller, taskId: task.taskId, draft })
}

export async function bringIn(task: RunningTask, text: string) {
  const draft = await receiveRawState(task.deps, Readable.from([Buffer.from(text)]), undefined)
  return importState(task.deps, { workspaceId, by: 'ops', draft })
}

export async function bytesOf(content: { bytes: AsyncIterable<Buffer> }): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const part of content.bytes) parts.push(part)
  return Buffer.concat(parts)
}

export const currentBytes = async (task: RunningTask) => bytesOf(await currentStateContent(task.deps, workspaceId))
export const blobCount = async (task: RunningTask) =>
  task.deps.store.read(async ({ db }) => ({
    blobs: (await db.selectFrom('blobs').select('sha256').execute()).length,
    parts: (await db.selectFrom('blob_parts').select('id').execute()).length,
    uploads: (await db.selectFrom('blob_uploads').select('id').execute()).length,
  }))
