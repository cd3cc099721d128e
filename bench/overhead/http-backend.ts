/** The least that serves terraform as `backend "http"` and loses nothing: each state fsynced before it is acknowledged. */
import { once } from 'node:events'
import { open, readFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { Peer } from '../peers/peer.js'

/** `argument`: the folder of the states; the path of a request names the file. */
export const httpBackend: Peer = {
  async serve(directory) {
    const server = createServer((request, response) => {
      answer(join(directory, `${(request.url ?? '').slice(1)}.tfstate`), request, response).catch((error: unknown) => {
        console.error(error)
        response.writeHead(500).end()
      })
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  },
}

async function answer(path: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method === 'POST') {
    const pieces: Buffer[] = []
    for await (const piece of request) pieces.push(piece as Buffer)
    await writeSynced(path, Buffer.concat(pieces))
    response.writeHead(200).end()
    return
  }
  const state = await readFile(path).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return undefined // no state yet: 404 is how this backend says so
    throw cause
  })
  response.writeHead(state === undefined ? 404 : 200).end(state)
}

async function writeSynced(path: string, bytes: Buffer): Promise<void> {
  const file = await open(path, 'w', 0o600)
  try {
    await file.writeFile(bytes)
    await file.datasync()
  } finally {
    await file.close()
  }
}
