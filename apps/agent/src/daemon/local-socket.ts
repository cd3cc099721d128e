/** The daemon's own door on this host: `<data-dir>/agent.sock` (0600), HTTP with JSON, for `status` and `drain`. */
import { chmod, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'

/** What may be asked; both answer JSON. */
export interface LocalHandlers {
  status(): Promise<unknown> | unknown
  /** Begins a drain and answers what is waited for. */
  drain(): unknown
}

/** Opens the socket; a dead daemon's socket file is replaced (the data lock says that there is no other daemon). */
export async function openLocalSocket(path: string, handlers: LocalHandlers): Promise<AsyncDisposable> {
  await rm(path, { force: true })
  const server = createServer((request, response) => {
    answer(request, handlers).then(
      ({ status, body }) => send(response, status, body),
      (error: unknown) => send(response, 500, { error: (error as Error).message }),
    )
  })
  await listen(server, path)
  await chmod(path, 0o600)
  return {
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise<void>((resolve) => server.close(() => resolve()))
      await rm(path, { force: true })
    },
  }
}

async function answer(request: IncomingMessage, handlers: LocalHandlers): Promise<{ status: number; body: unknown }> {
  const call = `${request.method} ${request.url}`
  if (call === 'GET /status') return { status: 200, body: await handlers.status() }
  if (call === 'POST /drain') return { status: 202, body: handlers.drain() }
  return { status: 404, body: { error: `nothing answers ${call}` } }
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json', connection: 'close' }).end(JSON.stringify(body))
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, () => {
      server.off('error', reject)
      resolve()
    })
  })
}
