/** Writers that keep a server busy, and remember what it acknowledged; whatever is cut off is said again under the same key. */
import { createHash } from 'node:crypto'
import { type FakeAgent, type RunningServer, repositoryRoot } from '@iac-agent/testkit'

/** A plan the fake agent has taken. */
export interface Victim {
  readonly taskId: number
  readonly lease: string
  readonly workspaceId: string
  readonly lineage: string
}

export interface Writer {
  /** Writes until the server is gone. Throws when the server takes back, or refuses, what it should have. */
  write(): Promise<void>
  /** Compares what the server has with what it acknowledged. */
  verify(): Promise<void>
}

export interface LoadParts {
  readonly server: RunningServer
  readonly agent: FakeAgent
  readonly onAcknowledged: () => void
}

/** Appends to the log of a task from wherever the server says it is. */
export function logWriter({ server, agent, onAcknowledged }: LoadParts, { taskId, lease }: Victim): Writer {
  const path = `/tasks/${taskId}/logs`
  let acknowledged = 0
  let sent = 0
  return {
    async write() {
      let offset = await nextOffset()
      for (;;) {
        const bytes = logBytes(taskId, offset, offset + 1 + Math.floor(Math.random() * 20_000))
        sent = Math.max(sent, offset + bytes.length)
        const query = `?phase=plan&offset=${offset}`
        offset = await numberIn(agent.http('POST', `${path}/chunk${query}`, { body: bytes, lease }), 'next_offset')
        acknowledged = offset
        onAcknowledged()
      }
    },
    async verify() {
      const length = await nextOffset()
      const stored = await bytesOf(operate(server, 'GET', `/tasks/${taskId}/logs?phase=plan&limit=16777216`))
      if (!stored.equals(logBytes(taskId, 0, length))) throw new Error(`the log of task ${taskId} has other bytes`)
    },
  }

  async function nextOffset(): Promise<number> {
    const length = await numberIn(agent.http('GET', `${path}/offset?phase=plan`, { lease }), 'next_offset')
    if (length < acknowledged) throw new Error(`log of task ${taskId}: ${length} bytes, ${acknowledged} acknowledged`)
    if (length > sent) throw new Error(`log of task ${taskId}: ${length} bytes, only ${sent} were sent`)
    return length
  }
}

/** Sends states with rising serials; one that was not answered is sent again as it was. */
export function stateWriter({ server, agent, onAcknowledged }: LoadParts, victim: Victim): Writer {
  const acknowledged = new Map<number, { sha256: string; version: number }>()
  let serial = 1
  return {
    async write() {
      for (; ; serial++) {
        const body = stateOf(victim.lineage, serial)
        const answer = agent.http('POST', `/tasks/${victim.taskId}/state`, { body, lease: victim.lease })
        const version = await numberIn(answer, 'version')
        acknowledged.set(serial, { sha256: createHash('sha256').update(body).digest('hex'), version })
        onAcknowledged()
      }
    },
    async verify() {
      const stored = await everything(server, `/workspaces/${victim.workspaceId}/state-versions`)
      for (const [number, { sha256, version }] of acknowledged) {
        const same = stored.filter((one) => one.serial === number)
        const isRight = same.length === 1 && same[0]?.checksum === sha256 && same[0].version === version
        if (!isRight) throw new Error(`state ${number} was acknowledged, stored is ${JSON.stringify(same)}`)
      }
    },
  }
}

/** Queues tasks, each under an Idempotency-Key of its own; one that was not answered is queued again under the same. */
export function taskWriter({ server, onAcknowledged }: LoadParts, workspaceId: string): Writer {
  const acknowledged: number[] = []
  let key = 0
  return {
    async write() {
      for (; ; key++) {
        const headers = { 'idempotency-key': `key-${key}` }
        const answer = operate(server, 'POST', `/workspaces/${workspaceId}/tasks`, { task_type: 'plan' }, headers)
        acknowledged.push(await numberIn(answer, 'id'))
        onAcknowledged()
      }
    },
    async verify() {
      const stored = (await everything(server, `/tasks?workspace_id=${workspaceId}`)).map(({ id }) => id)
      const lost = acknowledged.filter((id) => !stored.includes(id))
      if (lost.length > 0) throw new Error(`tasks ${lost.join(', ')} were acknowledged and are not there`)
      if (stored.length > key + 1) throw new Error(`${stored.length} tasks of ${key + 1} keys`)
    },
  }
}

/** What `iac-server` is started with. */
export const serverBin = [process.execPath, `${repositoryRoot()}/apps/server/bin/iac-server.js`] as const

/** Byte n of a task's log, lines of 80. */
function logBytes(taskId: number, from: number, to: number): Buffer {
  const bytes = Buffer.alloc(to - from)
  for (let at = from; at < to; at++) bytes[at - from] = at % 80 === 79 ? 0x0a : 0x61 + ((at * 31 + taskId) % 26)
  return bytes
}

/** Large enough for a blob of several parts now and then. */
function stateOf(lineage: string, serial: number): Buffer {
  const pad = 'x'.repeat(serial % 5 === 0 ? 2_500_000 : 2_000)
  return Buffer.from(`{"version":4,"serial":${serial},"lineage":"${lineage}","outputs":{},"pad":"${pad}"}`)
}

function operate(
  { url, operatorToken }: RunningServer,
  method: string,
  path: string,
  body?: object,
  headers: Record<string, string> = {},
): Promise<Response> {
  const json = body === undefined ? {} : { 'content-type': 'application/json' }
  return fetch(`${url}/api/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${operatorToken}`, ...json, ...headers },
    body: body === undefined ? null : JSON.stringify(body),
  })
}

async function bytesOf(answer: Promise<Response>): Promise<Buffer> {
  const response = await answer
  const bytes = Buffer.from(await response.arrayBuffer())
  if (!response.ok) throw new Error(`${response.url} answered ${response.status}: ${bytes.toString().slice(0, 300)}`)
  return bytes
}

async function numberIn(answer: Promise<Response>, field: string): Promise<number> {
  const value = (JSON.parse((await bytesOf(answer)).toString()) as Record<string, unknown>)[field]
  if (typeof value !== 'number') throw new Error(`an answer without ${field}`)
  return value
}

/** Every item of a list, page by page. */
async function everything(server: RunningServer, path: string): Promise<Record<string, unknown>[]> {
  const items: Record<string, unknown>[] = []
  for (let cursor: string | null = ''; cursor !== null; ) {
    const query = `${path.includes('?') ? '&' : '?'}limit=200${cursor === '' ? '' : `&cursor=${cursor}`}`
    const page = JSON.parse((await bytesOf(operate(server, 'GET', path + query))).toString()) as {
      items: Record<string, unknown>[]
      next_cursor: string | null
    }
    items.push(...page.items)
    cursor = page.next_cursor
  }
  return items
}
