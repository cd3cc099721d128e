/** The least a server must do with a log chunk: take the request, unpack it, store it in a transaction that is on disk before the answer. */
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import Database from 'better-sqlite3'
import type { Peer } from '../peers/peer.js'

/** Its argument is the directory of its database. */
export const logSink: Peer = {
  async serve(directory) {
    const database = new Database(join(directory, 'sink.sqlite'))
    database.pragma('journal_mode = WAL')
    database.pragma('synchronous = FULL')
    database.exec('CREATE TABLE chunks (id INTEGER PRIMARY KEY, stream TEXT NOT NULL, bytes BLOB NOT NULL)')
    const insert = database.prepare('INSERT INTO chunks (stream, bytes) VALUES (?, ?)')
    const server = createServer(async (request, response) => {
      insert.run(request.url ?? '', gunzipSync(await bodyOf(request)))
      response.end()
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  },
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = []
  for await (const piece of request) pieces.push(piece as Buffer)
  return Buffer.concat(pieces)
}
