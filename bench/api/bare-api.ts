/** The limit: Fastify and SQLite with our pragmas and group commit, and nothing else: no contract, no credentials, no lease, no fence. */
import { gunzipSync } from 'node:zlib'
import Database from 'better-sqlite3'
import Fastify, { type FastifyInstance } from 'fastify'
import type { Peer } from '../peers/peer.js'

const schema = `
  CREATE TABLE documents (id INTEGER PRIMARY KEY, document BLOB, state BLOB);
  CREATE TABLE tasks (id INTEGER PRIMARY KEY, stage TEXT);
  CREATE TABLE agents (id TEXT PRIMARY KEY, last_heartbeat_at INTEGER, status TEXT, cpu_usage REAL, mem_usage REAL);
  CREATE TABLE chunks (id INTEGER PRIMARY KEY, task INTEGER NOT NULL, start_offset INTEGER NOT NULL, bytes BLOB NOT NULL);`

/** What `/prepare` stores: the very bytes that our server answers with. */
export interface BareRows {
  tasks: number
  document: string
  documentWithState: string
}

/** `argument`: the path of its database. */
export const bareApi: Peer = {
  async serve(path) {
    const handle = new Database(path)
    for (const pragma of ['journal_mode = WAL', 'synchronous = FULL', 'journal_size_limit = 67108864'])
      handle.pragma(pragma)
    handle.exec(schema)
    const app = Fastify({ bodyLimit: 64 * 1024 * 1024 })
    app.addContentTypeParser('application/octet-stream', { parseAs: 'buffer' }, (_request, body, done) =>
      done(null, body),
    )
    routes(app, handle)
    return app.listen({ host: '127.0.0.1', port: 0 })
  },
}

function routes(app: FastifyInstance, handle: Database.Database): void {
  const commit = groupCommit(handle)
  const fill = handle.prepare('INSERT INTO documents (id, document, state) VALUES (?, ?, ?)')
  app.post<{ Body: BareRows }>('/prepare', async ({ body }) => {
    const { tasks, document, documentWithState } = body
    for (let id = 1; id <= tasks; id++) {
      fill.run(id, Buffer.from(document), Buffer.from(documentWithState))
      handle.prepare('INSERT INTO tasks (id) VALUES (?)').run(id)
    }
    handle.prepare('INSERT INTO agents (id) VALUES (?)').run('idle')
    return {}
  })
  const read = handle.prepare<[string], { document: Buffer }>('SELECT document FROM documents WHERE id = ?').pluck()
  const readState = handle.prepare<[string], { state: Buffer }>('SELECT state FROM documents WHERE id = ?').pluck()
  app.get<{ Params: { id: string }; Querystring: { state?: string } }>('/tasks/:id/data', async (request, reply) => {
    const bytes = (request.query.state === 'true' ? readState : read).get(request.params.id)
    return reply.type('application/json; charset=utf-8').send(bytes)
  })
  const setStage = handle.prepare('UPDATE tasks SET stage = ? WHERE id = ?')
  app.put<{ Params: { id: string }; Body: { status: string; stage: string } }>('/tasks/:id/status', async (request) => {
    const { status, stage } = request.body
    await commit(() => setStage.run(stage, request.params.id))
    return { status, stage }
  })
  const beat = handle.prepare(
    'UPDATE agents SET last_heartbeat_at = ?, status = ?, cpu_usage = ?, mem_usage = ? WHERE id = ?',
  )
  app.post<{ Body: { status: string; cpu_usage: number; mem_usage: number } }>('/heartbeat', async ({ body }) => {
    await commit(() => beat.run(Date.now(), body.status, body.cpu_usage, body.mem_usage, 'idle'))
    return { desired: [], draining: false, store_epoch: 1 }
  })
  const append = handle.prepare('INSERT INTO chunks (task, start_offset, bytes) VALUES (?, ?, ?)')
  app.post<{ Params: { id: string }; Querystring: { offset: string }; Body: Buffer }>(
    '/tasks/:id/chunk',
    async (request) => {
      const bytes = gunzipSync(request.body)
      const offset = Number(request.query.offset)
      await commit(() => append.run(request.params.id, offset, bytes))
      return { status: 'ok', next_offset: offset + bytes.length, saved_bytes: bytes.length }
    },
  )
}

/** What came in one turn of the event loop shares a COMMIT; each is answered after it. */
function groupCommit(handle: Database.Database): (body: () => unknown) => Promise<void> {
  let waiting: { body: () => unknown; done: () => void }[] = []
  const begin = handle.prepare('BEGIN IMMEDIATE')
  const end = handle.prepare('COMMIT')
  const run = () => {
    const batch = waiting
    waiting = []
    begin.run()
    for (const { body } of batch) body()
    end.run()
    for (const { done } of batch) done()
  }
  return (body) =>
    new Promise((done) => {
      if (waiting.push({ body, done }) === 1) setImmediate(run)
    })
}
