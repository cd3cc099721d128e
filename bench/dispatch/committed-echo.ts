/** The limit: a message of run_task's size goes over a bare WebSocket, becomes a committed row, and comes back. */
import { once } from 'node:events'
import WebSocket from 'ws'

const message = JSON.stringify({ type: 'run_task', payload: { task_id: 1, lease_token: 'x'.repeat(180) } })

/** Milliseconds of each, one after the other. */
export async function committedEcho(url: string, count: number): Promise<number[]> {
  const socket = new WebSocket(url.replace(/^http/, 'ws'), { perMessageDeflate: false })
  await once(socket, 'open')
  const times: number[] = []
  for (let done = 0; done < count; done++) {
    const from = performance.now()
    socket.send(message)
    await once(socket, 'message')
    times.push(performance.now() - from)
  }
  socket.close()
  await once(socket, 'close')
  return times
}
