/** Somebody who watches a task's log: a bare SSE connection that looks at nothing but the times in it. */
import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import { longestMarker, printTimes } from './printing.js'

/** Dispose leaves. */
export interface Viewer extends AsyncDisposable {
  /** Milliseconds from print to sight of what was seen since the last call. */
  take(): number[]
}

/** Resolves when the stream has begun; what was printed before is passed over. */
export async function openViewer(server: { url: string; operatorToken: string }, taskId: number): Promise<Viewer> {
  const openedAt = performance.now()
  const request = get(`${server.url}/api/v1/tasks/${taskId}/logs/stream?phase=plan`, {
    agent: false,
    headers: { authorization: `Bearer ${server.operatorToken}`, accept: 'text/event-stream' },
  })
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  if (response.statusCode !== 200) throw new Error(`a stream was answered ${response.statusCode}`)
  const closed = new Promise<void>((resolve) => response.once('close', () => resolve()))
  response.on('error', () => {}) // leaving is told as one; a server that leaves is missed by what is seen
  let seen: number[] = []
  let rest = ''
  response.setEncoding('latin1').on('data', (text: string) => {
    const now = performance.now()
    const whole = rest + text
    for (const time of printTimes(whole)) if (time > openedAt) seen.push(now - time)
    const end = whole.lastIndexOf(';') + 1
    rest = whole.slice(Math.max(end, whole.length - longestMarker))
  })
  return {
    take() {
      const taken = seen
      seen = []
      return taken
    },
    async [Symbol.asyncDispose]() {
      request.destroy()
      await closed
    },
  }
}
