/** The C&C side of the fake server: takes the agents' sockets, answers hello and heartbeats, inflates live log frames. */
import type { Server } from 'node:http'
import { createInflateRaw } from 'node:zlib'
import type { AgentMessage, DesiredTask, LiveLogHeader } from '@iac-agent/protocol'
import { type WebSocket, WebSocketServer } from 'ws'
import type { FakeAnswer } from './fake-routes.js'

/** What the control side needs of the rest. */
export interface ControlHooks {
  /** Null when the upgrade is granted; else the answer that refuses it. `line` is "METHOD /path". */
  refuse(line: string, headers: Record<string, string | undefined>): FakeAnswer | null
  desired(): DesiredTask[]
  storeEpoch(): number
  /** Stores live bytes; the offset that is acknowledged. */
  live(header: LiveLogHeader, bytes: Buffer): number
}

/** Sockets and messages, oldest first. */
export interface FakeControl {
  readonly received: AgentMessage[]
  readonly sockets: Set<WebSocket>
  /** Sizes of the binary frames. */
  readonly frameBytes: number[]
  send(type: string, payload: object): void
}

export const controlPath = '/api/v1/agents/control'

/** Serves upgrades of `server` on the control path. */
export function serveControl(server: Server, hooks: ControlHooks): FakeControl {
  const upgrades = new WebSocketServer({ noServer: true, perMessageDeflate: false })
  const control: FakeControl = { received: [], sockets: new Set(), frameBytes: [], send }
  server.on('upgrade', (request, socket, head) => {
    const { pathname } = new URL(request.url ?? '/', 'http://fake')
    const answer = hooks.refuse(`${request.method} ${pathname}`, request.headers as Record<string, string | undefined>)
    if (answer !== null) {
      const body = typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body)
      const length = Buffer.byteLength(body)
      socket.end(`HTTP/1.1 ${answer.status} Refused\r\nconnection: close\r\ncontent-length: ${length}\r\n\r\n${body}`)
      return
    }
    upgrades.handleUpgrade(request, socket, head, serve)
  })
  return control

  function serve(socket: WebSocket): void {
    const inflate = createInflateRaw()
    const inflated: Buffer[] = []
    inflate.on('data', (bytes: Buffer) => inflated.push(bytes))
    control.sockets.add(socket)
    socket.on('close', () => control.sockets.delete(socket) && inflate.close())
    socket.on('message', (frame: Buffer, isBinary) => {
      if (isBinary) control.frameBytes.push(frame.length)
      if (isBinary) inflate.write(frame, () => record(socket, Buffer.concat(inflated.splice(0))))
      else take(socket, JSON.parse(frame.toString()) as AgentMessage)
    })
  }

  function take(socket: WebSocket, message: AgentMessage): void {
    control.received.push(message)
    const reply = { hello: 'welcome', heartbeat: 'heartbeat_ack' }[message.type as string]
    const payload = { desired: hooks.desired(), draining: false, store_epoch: hooks.storeEpoch() }
    if (reply) socket.send(JSON.stringify({ type: reply, payload }))
  }

  /** A frame continues the connection's one deflate stream and holds one record: a JSON line, then the bytes. */
  function record(socket: WebSocket, bytes: Buffer): void {
    const lineEnd = bytes.indexOf(10)
    const header = JSON.parse(bytes.subarray(0, lineEnd).toString()) as LiveLogHeader
    const next_offset = hooks.live(header, bytes.subarray(lineEnd + 1))
    const { task_id, attempt } = header
    socket.send(JSON.stringify({ type: 'log_ack', payload: { task_id, attempt, next_offset } }))
  }

  function send(type: string, payload: object): void {
    for (const socket of control.sockets) socket.send(JSON.stringify({ type, payload }))
  }
}
