/** Round trips of a frame to a bare echo and back, while something else goes on. */
import { once } from 'node:events'
import WebSocket from 'ws'
import { startPeer } from '../peers/peer.js'

const everyMs = 20

/** Milliseconds of each round trip begun before `signal` aborts. */
export async function echoes(frame: Uint8Array, signal: AbortSignal): Promise<number[]> {
  await using peer = await startPeer('ws-echo')
  const socket = new WebSocket(peer.url, { perMessageDeflate: false })
  await once(socket, 'open')
  const trips: number[] = []
  while (!signal.aborted) {
    const sentAt = performance.now()
    socket.send(frame)
    await once(socket, 'message')
    trips.push(performance.now() - sentAt)
    await new Promise((resolve) => setTimeout(resolve, everyMs))
  }
  socket.terminate()
  return trips
}
