/** The whole way of a task through the real agent and terraform. */
import type { Task } from '@iac-agent/protocol'
import { eventually, startAgent } from '@iac-agent/testkit'
import { nothingLeft } from '../leftovers.js'
import { type MortalServer, poolAndKey, unlessDone } from './mortal-server.js'

/** Plans, is confirmed, applies. Answers what the server keeps of it: logs without what chance put into them, states, the task. */
export async function job(server: MortalServer, { isWatched = false } = {}): Promise<unknown> {
  const { client } = server
  const pool = await poolAndKey(client, 'p')
  const body = { name: 'w', pool_id: pool.poolId, tf_code: code }
  await unlessDone(client.workspaces.create({ body }), 'conflict')
  const workspace = { id: 'name:w' }
  const headers = { 'idempotency-key': 'once' }
  const { id } = await client.tasks.create({ params: workspace, body: { task_type: 'plan_and_apply' }, headers })
  const params = { id }
  const watched = isWatched ? textOf(client.streamLogs(id, { phase: 'plan', resumeAfterMs: 50 })) : undefined
  await using agent = await startAgent({ server: server.running, key: pool.key })
  await reached('apply_pending')
  await client.tasks.confirm({ params })
  const task = await reached('applied')
  await nothingLeft(agent)
  const logs = { plan: await log('plan'), apply: await log('apply') }
  const { items } = await client.states.list({ params: workspace })
  const { items: agents } = await client.agents.list()
  return {
    task: [task.attempt, task.changes_add, task.changes_change, task.changes_destroy, task.error_code],
    logs,
    isWatchedWhole: watched === undefined ? undefined : withoutChance(await watched) === logs.plan.text,
    states: items.map(({ version, serial, current, rescued }) => ({ version, serial, current, rescued })),
    resources: (await client.tasks.resourceChanges({ params })).items.map(({ address, progress }) => [
      address,
      progress?.status,
    ]),
    agents: agents.length,
    lock: (await client.workspaces.get({ params: workspace })).lock,
  }

  function reached(status: Task['status']): Promise<Task> {
    const look = async () => {
      const now = await client.tasks.get({ params })
      if (now.status === 'failed') throw new Error(JSON.stringify(now))
      return now.status === status && now
    }
    return eventually(`the task is ${status}`, look, { timeoutMs: 45_000, everyMs: 50 })
  }

  async function log(phase: 'plan' | 'apply') {
    const response = await client.tasks.logs({ params, query: { phase } })
    return { text: withoutChance(await response.text()), state: response.headers.get('x-log-state') }
  }
}

/** The same while somebody watches its plan, whose log then comes live. */
export function watchedJob(server: MortalServer): Promise<unknown> {
  return job(server, { isWatched: true })
}

/** One resource after the other makes the output the same each time. */
const code = `
  resource "terraform_data" "a" {
    provisioner "local-exec" { command = "echo tick 1; echo tick 2" }
  }
  resource "terraform_data" "b" {
    depends_on = [terraform_data.a]
    provisioner "local-exec" { command = "echo tick 3; echo tick 4" }
  }`

async function textOf(pieces: AsyncIterable<{ text: string }>): Promise<string> {
  let text = ''
  for await (const piece of pieces) text += piece.text
  return text
}

/** Ids and durations are another run's. */
function withoutChance(text: string): string {
  return text.replace(/id=[0-9a-f-]+/g, 'id=…').replace(/after \d+s/g, 'after …s')
}
