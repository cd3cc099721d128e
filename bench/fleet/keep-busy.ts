/** Some agents of a fleet work: each holds a running task, lists it in its heartbeats, and sends a chunk of log now and then. */
import { eventually, type PoolAndKey, type RunningServer } from '@iac-agent/testkit'
import { makeWorkspaces, queuePlans } from '../measure/plan-tasks.js'
import type { SimulatedAgent } from '../measure/simulated-agent.js'
import type { SimulatedFleet } from '../measure/simulated-fleet.js'
import { Undertakings } from '../measure/undertakings.js'

export interface BusyAgents extends AsyncDisposable {
  readonly working: readonly SimulatedAgent[]
  chunksPerSecond(): number
}

/** A chunk of each working agent in so long: a plan that says something. */
const chunkEveryMs = 2_000
const chunk = Buffer.from('terraform_data.x: Refreshing state... [id=0a1b2c3d]\n'.repeat(20))

export async function keepBusy(of: {
  server: RunningServer
  pool: PoolAndKey
  fleet: SimulatedFleet
  count: number
}): Promise<BusyAgents> {
  const { server, pool, fleet, count } = of
  await queuePlans(server.client, await makeWorkspaces(server.client, pool, count))
  const working = await eventually(
    'every task is with an agent',
    () => {
      const busy = fleet.agents.filter(({ running }) => running.length > 0)
      return busy.length === count && busy
    },
    { timeoutMs: 60_000 },
  )
  const stop = new AbortController()
  const from = performance.now()
  let sent = 0
  const talking = new Undertakings()
  talking.add(talk())
  return {
    working,
    chunksPerSecond: () => (sent / (performance.now() - from)) * 1000,
    async [Symbol.asyncDispose]() {
      stop.abort()
      await talking.ended()
    },
  }

  async function talk(): Promise<void> {
    for (let round = 0; !stop.signal.aborted; round++) {
      for (const agent of working) {
        if (stop.signal.aborted) return
        await Promise.all([say(agent, round), pauseOf(chunkEveryMs / count)])
      }
    }
  }

  async function say(agent: SimulatedAgent, round: number): Promise<void> {
    const [task] = agent.running
    if (task === undefined) return
    const path = `/tasks/${task.task_id}/logs/chunk?phase=plan&offset=${round * chunk.length}`
    const type = 'application/octet-stream'
    const status = await fleet.http(agent, 'POST', path, { body: chunk, type, lease: task.lease_token })
    if (status !== 200) throw new Error(`a chunk of task ${task.task_id} was answered ${status}`)
    sent += 1
  }
}

function pauseOf(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
