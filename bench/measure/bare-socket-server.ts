/** The limit of every bench about agents' sockets: a `ws` server that keeps nothing; with a database file it commits a row per message first. It answers any HTTP request with its event loop's lag, as the server's /metrics does. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import Database from 'better-sqlite3'
import { WebSocketServer } from 'ws'
import type { Peer } from '../peers/peer.js'
import { collectOnSignal } from './settled-memory.js'

const welcome = '{"type":"welcome","payload":{"desired":[],"draining":false,"store_epoch":1}}'
const ack = '{"type":"heartbeat_ack","payload":{"desired":[],"draining":false,"store_epoch":1}}'

export const bareSocketServer: Peer = {
  /** @param argument `{port, database}` as JSON; a free port and no database unless given */
  async serve(argument) {
    const { port = 0, database } = JSON.parse(argument) as { port?: number; database?: string }
    const commit = database === undefined ? () => {} : committer(database)
    collectOnSignal()
    const loop = monitorEventLoopDelay({ resolution: 10 })
    loop.enable()
    const server = createServer((_, answer) => {
      answer.end(`nodejs_eventloop_lag_p99_seconds ${loop.percentile(99) / 1e9}\n`)
      loop.reset()
    })
    const sockets = new WebSocketServer({ server, perMessageDeflate: false })
    sockets.on('connection', (socket) => {
      socket.on('message', (frame: Buffer) => {
        commit(frame)
        const text = frame.toString('utf8')
        if (text.startsWith('{"type":"hello"')) socket.send(welcome)
        else if (text.startsWith('{"type":"heartbeat"')) socket.send(ack)
        else socket.send(text)
      })
    })
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', 4096, resolve))
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  },
}

/** As the server's store writes: WAL, each commit durable. */
function committer(path: string): (frame: Buffer) => void {
  const database = new Database(path)
  database.pragma('journal_mode = WAL')
  database.pragma('synchronous = FULL')
  database.exec('CREATE TABLE IF NOT EXISTS messages (id INTEGER PRIMARY KEY, body BLOB NOT NULL)')
  const insert = database.prepare('INSERT INTO messages (body) VALUES (?)')
  return (frame) => void insert.run(frame)
}
