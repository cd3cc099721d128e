/** A task's log: a piece of it, or all of it as it grows. */
import { Readable } from 'node:stream'
import { taskEndpoints } from '@iac-agent/protocol'
import type { FastifyInstance, FastifyReply } from 'fastify'
import type { LogWatch } from '../../domain/logs/log-watch.js'
import { type LogPiece, type LogQuery, openLog } from '../../domain/logs/read-log.js'
import { withoutTornEnd } from '../../store/log-rows.js'
import type { Store } from '../../store/store.js'
import { EventStream, textOf } from '../event-stream.js'
import { route } from '../route.js'

/** Of a log, in one event. */
const eventBytes = 64 * 1024

export interface LogRouteDeps {
  store: Store
  logs: LogWatch
  /** aborts when the server stops */
  stopping: AbortSignal
}

export function logRoutes(app: FastifyInstance, deps: LogRouteDeps): void {
  route(app, taskEndpoints.logs, async ({ params, query, reply }) => {
    const { offset, nextOffset, state, bytes } = await openLog(deps, { taskId: params.id, ...query })
    reply.header('content-length', nextOffset - offset)
    reply.header('x-next-offset', nextOffset).header('x-log-state', state)
    return Readable.from(bytes, { objectMode: false })
  })
  route(app, taskEndpoints.logStream, async ({ params, query, headers, reply }) => {
    const offset = lastEventId(headers['last-event-id']) ?? query.offset ?? 0
    const place = { taskId: params.id, phase: query.phase, offset }
    await openLog(deps, place) // an unknown task is an error answer, not a stream
    await stream(deps, place, reply)
    return reply
  })
}

/** `id` is the offset after the event; `end` comes when nothing follows. */
async function stream(
  { store, logs, stopping }: LogRouteDeps,
  place: LogQuery & { offset: number },
  reply: FastifyReply,
): Promise<void> {
  using events = new EventStream(reply, { stopping, changes: store.changes })
  const pieces = logs.watch(place, events.signal)
  for (let next = await pieces.next(); ; next = await pieces.next()) {
    if (next.done === true) {
      const end = next.value
      if (end !== undefined)
        await events.send({
          id: end.nextOffset,
          event: 'end',
          data: { state: end.state, next_offset: end.nextOffset, phase: end.phase, attempt: end.attempt },
        })
      return
    }
    for (const text of textsOf(next.value)) await events.sendText(text)
  }
}

/** Viewers at the same place are given the same piece: the event of a small one is made once for all of them. */
const shared = new WeakMap<LogPiece, string>()

function* textsOf(piece: LogPiece): Generator<string> {
  const known = shared.get(piece)
  if (known !== undefined) {
    yield known
    return
  }
  for (const { offset, bytes } of eventsOf(piece)) {
    const text = textOf({ id: offset + bytes.length, data: { offset, text: bytes.toString('utf8') } })
    if (bytes.length === piece.bytes.length) shared.set(piece, text)
    yield text
  }
}

/** A piece in parts small enough to be held once more for each viewer that does not read, cut at whole characters. */
function* eventsOf({ offset, bytes }: LogPiece): Generator<{ offset: number; bytes: Buffer }> {
  for (let at = 0; at < bytes.length; ) {
    const part = bytes.subarray(at, at + eventBytes)
    const whole = at + part.length < bytes.length ? withoutTornEnd(part) : part
    yield { offset: offset + at, bytes: whole }
    at += whole.length
  }
}

function lastEventId(header: string | string[] | undefined): number | undefined {
  return typeof header === 'string' && /^\d{1,15}$/.test(header) ? Number(header) : undefined
}
