/** Attempts for requests to speak for: plans that a simulated agent has accepted and never ends. */
import { type FakeAgent, type PoolAndKey, type RunningServer, startFakeAgent } from '@iac-agent/testkit'

export interface HeldAttempt {
  readonly taskId: number
  readonly attempt: number
  readonly lease: string
}

export interface Holder extends AsyncDisposable {
  readonly agentId: string
  readonly attempts: readonly HeldAttempt[]
  /** Its socket says that it lives, and what it holds. */
  beat(): void
}

/** As many attempts, each of a workspace of its own with ten resources and this state. */
export async function holdAttempts(
  server: RunningServer,
  { poolId, key }: PoolAndKey,
  count: number,
  state: Buffer,
): Promise<Holder> {
  const agent = await startFakeAgent({ url: server.url, key, agentId: 'holder', register: { plan_limit: count } })
  agent.heartbeat({ plan_limit: count })
  const attempts: HeldAttempt[] = []
  for (let n = 0; n < count; n++) attempts.push(await hold(server, agent, await workspace(server, poolId, n, state)))
  const current = attempts.map(({ taskId, attempt }) => ({ task_id: taskId, attempt }))
  return {
    agentId: agent.agentId,
    attempts,
    beat: () => agent.heartbeat({ plan_limit: count, plan_running: count, current_tasks: current }),
    [Symbol.asyncDispose]: () => agent[Symbol.asyncDispose](),
  }
}

async function workspace({ client }: RunningServer, poolId: string, n: number, state: Buffer): Promise<string> {
  const { id } = await client.workspaces.create({ body: { name: `w${n}`, pool_id: poolId } })
  for (let index = 0; index < 10; index++) {
    const body = {
      resource_type: 'terraform_data',
      resource_name: `r${index}`,
      tf_code: `resource "terraform_data" "r${index}" {\n  input = "${'value '.repeat(20)}"\n}\n`,
    }
    await client.resources.create({ params: { id }, body })
  }
  await client.states.import({ params: { id }, body: state })
  return id
}

async function hold({ client }: RunningServer, agent: FakeAgent, workspaceId: string): Promise<HeldAttempt> {
  const { id } = await client.tasks.create({ params: { id: workspaceId }, body: { task_type: 'plan' } })
  const offer = await agent.next('run_task', ({ task_id }) => task_id === id)
  agent.send('task_accepted', { task_id: id, attempt: offer.attempt })
  return { taskId: id, attempt: offer.attempt, lease: offer.lease_token }
}
