/** The task routes of the fake server, as protocol.md describes them. */
import { createHash } from 'node:crypto'
import type { ErrorCode, StatusUpdate, UnrecordedReport } from '@iac-agent/protocol'
import { httpStatusOf } from '@iac-agent/protocol'
import type { FakeTask } from './fake-task.js'

/** A request, read whole and uncompressed. */
export interface ReceivedRequest {
  method: string
  /** Without the query. */
  path: string
  query: URLSearchParams
  headers: Record<string, string | undefined>
  body: Buffer
}

/** What goes back; bytes as they are, anything else as JSON. */
export interface FakeAnswer {
  status: number
  body?: unknown
  headers?: Record<string, string>
}

/** `route` is what follows `/tasks/:task_id/`. */
export function answerTask(task: FakeTask, route: string, request: ReceivedRequest, storeEpoch: number): FakeAnswer {
  switch (`${request.method} ${route}`) {
    case 'GET data':
      return dataOf(task, request)
    case 'GET state':
      return bytesOrMissing(task.input.state, 'application/json', { 'x-state-version': '1' })
    case 'GET configuration':
      return bytesOrMissing(task.input.configuration, 'application/gzip')
    case 'GET plan':
      return bytesOrMissing(task.plan, 'application/gzip')
    case 'POST start':
      return start(task, json<{ start_id: string }>(request).start_id)
    case 'POST logs/chunk':
      return chunk(task, request)
    case 'GET logs/offset':
      return { status: 200, body: { next_offset: task.log.length } }
    case 'POST logs/seal':
      return seal(task, json(request))
    case 'PUT status':
      return status(task, json<StatusUpdate>(request), storeEpoch)
    case 'PUT plan':
      task.plan = request.body
      return { status: 200, body: { sha256: sha256(request.body), size: request.body.length } }
    case 'PUT plan-json':
      task.planJson = request.body
      return { status: 200, body: { resource_changes: 0 } }
    case 'POST resources': {
      const { resources } = json<{ resources: FakeTask['resources'] }>(request)
      task.resources.push(...resources)
      return { status: 200, body: { saved: resources.length } }
    }
    case 'PUT unrecorded-resources': {
      const report = json<UnrecordedReport>(request)
      task.unrecorded = report
      return { status: 200, body: { saved: report.items.length } }
    }
    case 'POST state':
      return state(task, request)
    default:
      return refusal('not_found', `no route ${request.method} ${request.path}`)
  }
}

/** An error in the words of the API. */
export function refusal(code: ErrorCode, message: string, details: object = {}): FakeAnswer {
  return { status: httpStatusOf(code), body: { error: { code, message, details }, request_id: 'fake' } }
}

function dataOf(task: FakeTask, { query }: ReceivedRequest): FakeAnswer {
  const data = task.data()
  if (query.get('include_state') === 'false') delete data.state_version?.content
  return { status: 200, body: data }
}

function start(task: FakeTask, startId: string): FakeAnswer {
  const [first] = task.starts
  if (first !== undefined && first !== startId) return refusal('already_started', 'Another start was recorded.')
  task.starts.push(startId)
  return { status: 200, body: { status: 'started' } }
}

function chunk(task: FakeTask, request: ReceivedRequest): FakeAnswer {
  const isRaw = request.headers['content-type'] === 'application/octet-stream'
  const seed = isRaw ? undefined : json<{ content: string; offset: number }>(request)
  const bytes = seed ? Buffer.from(seed.content) : request.body
  const before = task.log.length
  const { nextOffset, fault } = task.append(seed ? seed.offset : Number(request.query.get('offset')), bytes)
  if (fault) return refusal(fault, 'Not the bytes that come next.', { next_offset: nextOffset })
  return { status: 200, body: { status: 'ok', next_offset: nextOffset, saved_bytes: nextOffset - before } }
}

function seal(task: FakeTask, claim: { total_bytes: number; sha256: string }): FakeAnswer {
  if (claim.total_bytes !== task.log.length) {
    return refusal('offset_gap', 'Bytes are missing.', { next_offset: task.log.length })
  }
  if (claim.sha256 !== sha256(task.log)) return refusal('log_diverged', 'Other bytes are stored.')
  task.seals.push(claim)
  return { status: 200, body: { status: 'complete' } }
}

function status(task: FakeTask, update: StatusUpdate, storeEpoch: number): FakeAnswer {
  if ((update.store_epoch ?? storeEpoch) !== storeEpoch) return refusal('unavailable', 'The store was restored since.')
  task.statuses.push(update)
  return { status: 200, body: { status: update.status, stage: update.stage ?? 'completed' } }
}

function state(task: FakeTask, request: ReceivedRequest): FakeAnswer {
  const claimed = request.headers['x-content-sha256']
  if (claimed && claimed.replace('sha256:', '') !== sha256(request.body)) {
    return refusal('checksum_mismatch', 'The bytes are not those of the checksum.')
  }
  task.states.push(request.body)
  return { status: 200, body: { message: 'state saved successfully', version: task.states.length } }
}

function bytesOrMissing(bytes: Buffer | undefined, type: string, headers: Record<string, string> = {}): FakeAnswer {
  if (!bytes) return refusal('not_found', 'There is none.')
  return { status: 200, body: bytes, headers: { 'content-type': type, 'x-content-sha256': sha256(bytes), ...headers } }
}

function json<T>(request: ReceivedRequest): T {
  return JSON.parse(request.body.toString()) as T
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}
