/** The load behind the watched tasks: simulated agents whose tasks send chunks as the agent's log lane does while nobody watches. */
import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { timing } from '@iac-agent/protocol'
import { type FakeAgent, startFakeAgent } from '@iac-agent/testkit'
import { Pool } from 'undici'
import { terraformText } from '../measure/terraform-text.js'
import type { Peer } from '../peers/peer.js'

export interface BusyFleet {
  readonly url: string
  readonly key: { readonly app_key: string; readonly app_secret: string }
  readonly agents: number
  readonly tasksEach: number
  /** of each task's output */
  readonly bytesPerSecond: number
}

interface Chunk {
  readonly packed: Buffer
  readonly sha256: string
  readonly sizeBytes: number
}

/** Its argument is a BusyFleet; it serves once all agents are connected, and takes the tasks of its key's pool. */
export const busyFleet: Peer = {
  async serve(argument) {
    const fleet = JSON.parse(argument) as BusyFleet
    const pool = new Pool(fleet.url, { connections: fleet.agents })
    const chunks = chunksOf(Math.round((fleet.bytesPerSecond * timing.logBatchMs) / 1000))
    for (let index = 0; index < fleet.agents; index++) await startAgent(fleet, index, pool, chunks)
    return fleet.url
  },
}

/** A few, sent in turn: what packing costs is the agents', and these are not measured. */
function chunksOf(sizeBytes: number): Chunk[] {
  const { bytes } = terraformText(sizeBytes * 8)
  return Array.from({ length: 8 }, (_, index) => {
    const text = bytes.subarray(index * sizeBytes, (index + 1) * sizeBytes)
    const sha256 = createHash('sha256').update(text).digest('hex')
    return { packed: gzipSync(text, { level: 1 }), sha256, sizeBytes }
  })
}

async function startAgent(fleet: BusyFleet, index: number, pool: Pool, chunks: readonly Chunk[]): Promise<void> {
  const { url, key, tasksEach } = fleet
  const agentId = `busy-${index}`
  const agent = await startFakeAgent({ url, key, agentId, register: { plan_limit: tasksEach } })
  const tasks: { task_id: number; attempt: number }[] = []
  const beat = () =>
    agent.heartbeat({ status: 'busy', plan_running: tasks.length, plan_limit: tasksEach, current_tasks: tasks })
  setInterval(beat, timing.heartbeatIntervalMs)
  void takeTasks(agent, tasksEach, ({ task_id, attempt, lease_token }) => {
    tasks.push({ task_id, attempt })
    const headers = { 'x-app-key': key.app_key, 'x-app-secret': key.app_secret, 'x-agent-id': agent.agentId }
    void print(pool, task_id, { ...headers, 'x-task-lease': lease_token }, chunks)
  })
}

async function takeTasks(
  agent: FakeAgent,
  count: number,
  take: (task: { task_id: number; attempt: number; lease_token: string }) => void,
): Promise<void> {
  for (let taken = 0; taken < count; taken++) {
    const offer = await agent.next('run_task')
    agent.send('task_accepted', { task_id: offer.task_id, attempt: offer.attempt })
    take(offer)
  }
}

/** For ever: one request in flight, at the pace of the log lane. */
async function print(
  pool: Pool,
  taskId: number,
  caller: Record<string, string>,
  chunks: readonly Chunk[],
): Promise<never> {
  let due = performance.now() + Math.random() * timing.logBatchMs
  for (let offset = 0, number = 0; ; number++, due += timing.logBatchMs) {
    await new Promise((resolve) => setTimeout(resolve, due - performance.now()))
    const chunk = chunks[number % chunks.length] as Chunk
    const { statusCode, body } = await pool.request({
      method: 'POST',
      path: `/api/v1/agents/tasks/${taskId}/logs/chunk?phase=plan&offset=${offset}`,
      headers: {
        ...caller,
        'content-type': 'application/octet-stream',
        'content-encoding': 'gzip',
        'x-content-sha256': chunk.sha256,
      },
      body: chunk.packed,
    })
    const answer = await body.text()
    if (statusCode !== 200) throw new Error(`a chunk of task ${taskId} was answered ${statusCode}: ${answer}`)
    offset += chunk.sizeBytes
  }
}
