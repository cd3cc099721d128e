/** The requests that are measured: as the agent sends them to our server, and the same bytes to the bare route. */
import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import type { RunningServer } from '@iac-agent/testkit'
import type { Shot } from '../measure/http-load.js'
import { terraformLines } from '../measure/terraform-lines.js'
import type { HeldAttempt } from './held-attempts.js'

type Next = (slot: number) => Shot

export interface MeasuredRequest {
  readonly what: string
  readonly ours: Next
  readonly bare: Next
}

export interface Callers {
  readonly server: RunningServer
  readonly key: { app_key: string; app_secret: string }
  readonly holderId: string
  readonly attempts: readonly HeldAttempt[]
  /** Idle, and in a pool without work; its id and its key. */
  readonly idle: { agentId: string; key: { app_key: string; app_secret: string } }
}

const chunkBytes = 64 * 1024
const json = { 'content-type': 'application/json' }
const bareTask = (slot: number) => `/tasks/${slot + 1}`

export function measuredRequests({ key, holderId, attempts, idle }: Callers): MeasuredRequest[] {
  const credentials = attempts.map(({ lease }) => ({
    'x-app-key': key.app_key,
    'x-app-secret': key.app_secret,
    'x-agent-id': holderId,
    'x-task-lease': lease,
  }))
  const headersOf = (slot: number) => credentials[slot % credentials.length] ?? {}
  const task = (slot: number) => `/api/v1/agents/tasks/${attempts[slot % attempts.length]?.taskId}`
  const data = (includeState: boolean): Pick<MeasuredRequest, 'ours' | 'bare'> => ({
    ours: (slot) => ({
      method: 'GET',
      path: `${task(slot)}/data?include_state=${includeState}`,
      headers: headersOf(slot),
    }),
    bare: (slot) => ({ method: 'GET', path: `${bareTask(slot)}/data?state=${includeState}`, headers: {} }),
  })
  return [
    { what: 'GET data', ...data(false) },
    { what: 'GET data with a state of 1 MB', ...data(true) },
    { what: 'PUT status', ...statusOf(task, headersOf, attempts.length) },
    { what: 'POST heartbeat', ...heartbeatOf(idle) },
    { what: 'POST chunk of 64 KiB', ...chunkOf(task, headersOf, attempts.length) },
  ]
}

type HeadersOf = (slot: number) => Record<string, string>

/** Each task says another stage than before: of a row that stays as it is SQLite writes nothing, and COMMIT then syncs nothing. */
function statusOf(
  task: (slot: number) => string,
  headersOf: HeadersOf,
  tasks: number,
): Pick<MeasuredRequest, 'ours' | 'bare'> {
  const [toOurs, toBare] = [new Uint32Array(tasks), new Uint32Array(tasks)]
  const body = (said: Uint32Array, slot: number) => {
    const count = (said[slot] ?? 0) + 1
    said[slot] = count
    return JSON.stringify({ status: 'running', stage: count % 2 === 0 ? 'init' : 'planning' })
  }
  return {
    ours: (slot) => ({
      method: 'PUT',
      path: `${task(slot)}/status`,
      headers: { ...headersOf(slot), ...json },
      body: body(toOurs, slot),
    }),
    bare: (slot) => ({ method: 'PUT', path: `${bareTask(slot)}/status`, headers: json, body: body(toBare, slot) }),
  }
}

/** The agent's memory is never as it was, so that each is written, several of a millisecond too. */
function heartbeatOf({ agentId, key }: Callers['idle']): Pick<MeasuredRequest, 'ours' | 'bare'> {
  const headers = { 'x-app-key': key.app_key, 'x-app-secret': key.app_secret, 'x-agent-id': agentId, ...json }
  let beats = 0
  const body = () =>
    JSON.stringify({
      agent_id: agentId,
      status: 'idle',
      plan_running: 0,
      plan_limit: 3,
      apply_running: false,
      current_tasks: [],
      cpu_usage: 1.5,
      mem_usage: 12.25 + (beats++ % 1024) / 64,
      disk_free_bytes: 85_899_345_920,
      timestamp: new Date().toISOString(),
    })
  return {
    ours: () => ({ method: 'POST', path: `/api/v1/agents/${agentId}/heartbeat`, headers, body: body() }),
    bare: () => ({ method: 'POST', path: '/heartbeat', headers: json, body: body() }),
  }
}

/** Each task's log grows by one chunk a request. */
function chunkOf(
  task: (slot: number) => string,
  headersOf: HeadersOf,
  tasks: number,
): Pick<MeasuredRequest, 'ours' | 'bare'> {
  const text = terraformLines(chunkBytes)
  const body = gzipSync(text, { level: 1 })
  const headers = {
    'content-type': 'application/octet-stream',
    'content-encoding': 'gzip',
    'x-content-sha256': createHash('sha256').update(text).digest('hex'),
  }
  const [oursAt, bareAt] = [new Float64Array(tasks), new Float64Array(tasks)]
  const grow = (at: Float64Array, slot: number) => {
    const offset = at[slot] ?? 0
    at[slot] = offset + chunkBytes
    return offset
  }
  return {
    ours: (slot) => ({
      method: 'POST',
      path: `${task(slot)}/logs/chunk?phase=plan&offset=${grow(oursAt, slot)}`,
      headers: { ...headersOf(slot), ...headers },
      body,
    }),
    bare: (slot) => ({
      method: 'POST',
      path: `${bareTask(slot)}/chunk?offset=${grow(bareAt, slot)}`,
      headers: { 'content-type': 'application/octet-stream' },
      body,
    }),
  }
}
