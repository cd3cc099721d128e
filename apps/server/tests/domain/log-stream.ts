/** A writer and reader of one attempt's stream, past HTTP. */
import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import type { Phase } from '@iac-agent/protocol'
import type { AgentCaller } from '../../src/domain/attempts/agent-caller.js'
import { nextLogOffset, saveChunk } from '../../src/domain/logs/save-chunk.js'
import { sealLog } from '../../src/domain/logs/seal.js'
import type { RunningTask } from './running-task.js'

export const sha256 = (bytes: string | Buffer) => createHash('sha256').update(bytes).digest('hex')

export function streamOf(task: RunningTask, caller: AgentCaller, phase: Phase = 'plan') {
  const at = { caller, taskId: task.taskId, phase }
  return {
    save: (offset: number, text: string | Buffer) => saveChunk(task.deps, { ...at, offset, bytes: Buffer.from(text) }),
    savePacked: (offset: number, bytes: Buffer) =>
      saveChunk(task.deps, { ...at, offset, bytes, packed: gzipSync(bytes) }),
    seal: (whole: string | Buffer, totalBytes = Buffer.byteLength(whole)) =>
      sealLog(task.deps, { ...at, totalBytes, sha256: sha256(whole) }),
    next: () => nextLogOffset(task.deps, at),
  }
}
