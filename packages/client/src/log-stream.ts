/** A task's log as it comes, as an async iterable that spans lost connections. */
import { ApiError, LogState, type Phase, parse, taskEndpoints } from '@iac-agent/protocol'
import { NoAnswer } from './errors.js'
import { type Caller, request } from './request.js'
import { serverSentEvents } from './server-sent-events.js'

/** Where to begin and when to stop. */
export interface LogStreamOptions {
  /** The task's current phase unless given. */
  phase?: Phase
  /** In bytes; 0 unless given. */
  offset?: number
  /** Ends the iteration without an error. */
  signal?: AbortSignal
  /** Pause before a lost stream is resumed; 500 ms unless given. */
  resumeAfterMs?: number
}

/** Some text, and the offset after it. The last piece has no text and says how the log ended. */
export interface LogPiece {
  text: string
  nextOffset: number
  state?: LogState
}

const logStream = taskEndpoints.logStream

/** @throws ApiError when the server refuses the stream; a lost connection is resumed from the last offset, for ever. */
export async function* streamLogs(
  caller: Caller,
  taskId: number,
  { phase, offset = 0, signal, resumeAfterMs = 500 }: LogStreamOptions = {},
): AsyncGenerator<LogPiece> {
  let nextOffset = offset
  while (!signal?.aborted) {
    try {
      const query = phase ? { phase, offset: nextOffset } : { offset: nextOffset }
      const response = await request(caller, logStream, {
        params: { id: taskId },
        query,
        headers: { accept: 'text/event-stream', 'last-event-id': String(nextOffset) },
        ...(signal && { signal }),
      })
      for await (const event of serverSentEvents(bytesOf(response))) {
        if (event.type === 'end') {
          const { state } = JSON.parse(event.data) as { state?: unknown }
          yield { text: '', nextOffset, state: parse(LogState, state, 'end of a log') }
          return
        }
        nextOffset = Number(event.id)
        const { text } = JSON.parse(event.data) as { text: string }
        yield { text, nextOffset }
      }
    } catch (error) {
      if (signal?.aborted) return
      if (!isPassing(error)) throw error // else it is resumed below
    }
    await new Promise((resume) => setTimeout(resume, resumeAfterMs))
  }
}

/** Lost connections, and a server that is starting or stopping. */
function isPassing(error: unknown): boolean {
  return error instanceof NoAnswer || (error instanceof ApiError && error.code === 'unavailable')
}

/** The body's bytes; a connection that breaks off is a NoAnswer, as one that was never made. */
async function* bytesOf(response: Response): AsyncGenerator<Uint8Array> {
  if (!response.body) return
  try {
    for await (const bytes of response.body) yield bytes
  } catch (cause) {
    throw new NoAnswer(logStream.name, cause)
  }
}
