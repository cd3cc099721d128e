/** Prints the log of one phase line by line as the server streams it, and remembers when lines came. */
import type { OperatorClient } from '@iac-agent/client'
import type { Phase } from '@iac-agent/protocol'
import { say } from './say.js'

/** When a line arrived, in ms of the monotonic clock. */
export interface SeenLine {
  text: string
  atMs: number
}

/** Resolves when the log has ended; throws unless the server calls it complete. */
export async function watchPhase(
  client: OperatorClient,
  taskId: number,
  phase: Phase,
  signal: AbortSignal,
): Promise<SeenLine[]> {
  const lines: SeenLine[] = []
  let unfinished = ''
  for await (const { text, state } of client.streamLogs(taskId, { phase, signal })) {
    const parts = (unfinished + text).split('\n')
    unfinished = parts.pop() ?? ''
    for (const line of parts) {
      lines.push({ text: line, atMs: performance.now() })
      say.line(phase, line)
    }
    if (state && state !== 'complete') throw new Error(`the log of the ${phase} ended as "${state}", not complete`)
  }
  signal.throwIfAborted()
  return lines
}
