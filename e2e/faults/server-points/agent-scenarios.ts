/** What goes wrong or is taken back between agents and server; each step may meet a server that dies. */
import type { Task } from '@iac-agent/protocol'
import { eventually } from '@iac-agent/testkit'
import { type MortalServer, poolAndKey, unlessDone } from './mortal-server.js'
import { type Order, ReturningAgent } from './returning-agent.js'

/** Flags of a server whose agents are soon given up. */
export const impatient = ['--lease-ttl', '1s', '--heartbeat-interval', '250ms', '--offer-timeout', '500ms']

/** An agent leaves, is drained, fed again and removed. */
export async function departure(server: MortalServer): Promise<unknown> {
  const { client } = server
  const agent = await agentOf(server, { agentId: 'leaves' })
  const params = { agent_id: agent.id }
  const seenAs = (status: string) =>
    eventually(`the agent is ${status}`, async () => (await client.agents.get({ params })).status === status)
  await seenAs('online')
  await agent.leave()
  await seenAs('offline')
  const drained = await client.agents.drain({ params, body: {} })
  const fed = await client.agents.undrain({ params, body: {} })
  // a repeated removal finds it gone, and says so
  await agent.http('DELETE', `/${agent.id}`, undefined).catch((fault: Error) => {
    if (!fault.message.includes('not_found')) throw fault
  })
  const { items } = await client.agents.list()
  return { drained: drained.status, fed: fed.status, left: items.length }
}

/** An offer is rejected, the next is not answered, the lease of the third ends, the fourth says it failed; each by an agent of its own. */
export async function attempts(server: MortalServer): Promise<unknown> {
  const id = await queue(server, 'plan')
  const rejected = await byAgentOfItsOwn('rejects', 1, async (agent, { task_id, attempt }) => {
    const isOver = async () => {
      const details = (await task(server, id)).pending_reason?.details ?? {}
      return 'agent_ids' in details // of those who did not take it; while the offer is open there is one `agent_id`
    }
    await agent.say('task_rejected', { task_id, attempt, reason: 'not now' }, isOver)
  })
  const unanswered = await byAgentOfItsOwn('hesitates', rejected + 1, async () => undefined)
  const taken = await byAgentOfItsOwn('vanishes', unanswered + 1, accepts)
  await byAgentOfItsOwn('fails', taken + 1, async (agent, order) => {
    await accepts(agent, order)
    await agent.http('PUT', `/tasks/${id}/status`, { status: 'failed', error_code: 'plan_failed' }, order.lease)
  })
  const { status, error_code } = await task(server, id)
  return { status, error_code }

  async function accepts(agent: ReturningAgent, order: Order) {
    await accept(server, agent, order)
  }

  /** Answers which attempt it was. */
  async function byAgentOfItsOwn(
    agentId: string,
    atLeast: number,
    act: (agent: ReturningAgent, order: Order) => Promise<void>,
  ): Promise<number> {
    const agent = await agentOf(server, { agentId })
    const order = await agent.order(id, atLeast)
    await act(agent, order)
    await agent.leave()
    return order.attempt
  }
}

/** One plan is discarded; the apply of another is lost with its agent, and given up by a person. */
export async function abandonment(server: MortalServer): Promise<unknown> {
  const { client } = server
  await using agent = await agentOf(server, { agentId: 'applies' })
  const discarded = await plan(server, agent)
  await client.tasks.discard({ params: { id: discarded } })
  const lost = await plan(server, agent)
  await client.tasks.confirm({ params: { id: lost } })
  const order = await agent.order(lost, 2)
  await accept(server, agent, order)
  await agent.http('POST', `/tasks/${lost}/start`, { start_id: 's' }, order.lease)
  const created = { address: 'a.b', id: 'i', certainty: 'created', note: null }
  await agent.http(
    'PUT',
    `/tasks/${lost}/unrecorded-resources`,
    { created: 1, may_exist: 0, items: [created] },
    order.lease,
  )
  await eventually('the apply is unreachable', async () => (await task(server, lost)).unreachable_since !== null)
  await client.tasks.declareLost({ params: { id: lost }, body: { agent_name: agent.id } })
  const { lock } = await client.workspaces.get({ params: { id: 'name:w' } })
  await client.workspaces.unlock({ params: { id: 'name:w' } })
  const ends = [await task(server, discarded), await task(server, lost)]
  return {
    ends: ends.map(({ status, error_code, unrecorded_resources }) => ({ status, error_code, unrecorded_resources })),
    lock: lock?.reason.replace(/\d+/, 'n'),
  }
}

/** A server that sleeps longer than a lease lasts ends none. */
export async function sleep(server: MortalServer): Promise<unknown> {
  await using agent = await agentOf(server)
  const id = await queue(server, 'plan')
  const order = await agent.order(id)
  await accept(server, agent, order)
  process.kill(server.running.child.pid, 'SIGSTOP')
  await new Promise((resolve) => setTimeout(resolve, 3_500)) // the fault itself: it lasts that long
  process.kill(server.running.child.pid, 'SIGCONT')
  await agent.http('PUT', `/tasks/${id}/status`, { status: 'failed', error_code: 'plan_failed' }, order.lease)
  const { status, attempt } = await task(server, id)
  return { status, attempt }
}

/** A seed-only agent hints that its task is over and never says how. */
export async function silentEnd(server: MortalServer): Promise<unknown> {
  await using agent = await agentOf(server, { agentId: 'seed', seedOnly: true })
  const id = await queue(server, 'plan')
  await agent.order(id)
  await agent.http('GET', `/tasks/${id}/data`, undefined)
  const isEnded = async () => (await task(server, id)).status === 'failed'
  await agent.say('task_failed', { task_id: id, error: 'broken' }, isEnded)
  const { status, error_code } = await task(server, id)
  return { status, error_code }
}

async function agentOf(
  { client, running }: MortalServer,
  options: { agentId?: string; seedOnly?: boolean } = {},
): Promise<ReturningAgent> {
  const { key } = await poolAndKey(client, 'p')
  return await ReturningAgent.start({ url: running.url, key, ...options })
}

async function queue({ client }: MortalServer, task_type: Task['task_type']): Promise<number> {
  const { poolId: pool_id } = await poolAndKey(client, 'p')
  await unlessDone(client.workspaces.create({ body: { name: 'w', pool_id } }), 'conflict')
  return (await client.tasks.create({ params: { id: 'name:w' }, body: { task_type } })).id
}

function task({ client }: MortalServer, id: number): Promise<Task> {
  return client.tasks.get({ params: { id } })
}

/** Up to `apply_pending`. */
async function plan(server: MortalServer, agent: ReturningAgent): Promise<number> {
  const id = await queue(server, 'plan_and_apply')
  const order = await agent.order(id)
  await accept(server, agent, order)
  await agent.http('PUT', `/tasks/${id}/plan`, Buffer.from('a plan'), order.lease)
  const counts = { changes_add: 1, changes_change: 0, changes_destroy: 0 }
  await agent.http('PUT', `/tasks/${id}/status`, { status: 'success', ...counts }, order.lease)
  return id
}

async function accept(server: MortalServer, agent: ReturningAgent, { task_id, attempt }: Order) {
  const isTaken = async () => {
    const now = await task(server, task_id)
    return now.status === 'running' && now.attempt === attempt
  }
  await agent.say('task_accepted', { task_id, attempt }, isTaken)
}
