/** 120 tasks at once: accepted by simulated agents, and begun by real ones. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { eventually, median, type RunningAgent, startAgent } from '@iac-agent/testkit'
import type { Bench, BenchContext } from '../bench.js'
import { type FleetServer, openFleetServer } from '../measure/open-fleet.js'
import { makeWorkspaces, queuePlans } from '../measure/plan-tasks.js'
import { SimulatedFleet } from '../measure/simulated-fleet.js'
import { layOutTimedTerraform } from '../measure/timed-terraform.js'
import type { Row } from '../report/row.js'

const tasks = 120
const realAgents = 12
/** The fake terraform's first command waits so long, so that all 120 are under way at once. */
const initSeconds = 4
/** Of simulated agents, one after the other: the middle one counts, on a server that has run before. */
const rounds = 3
/** What HCP Terraform's users see of a burst: so many run after so long. Published, not measured here. */
const published = [
  { running: 23, ms: 30_000 },
  { running: 66, ms: 90_000 },
  { running: 108, ms: 180_000 },
]
const rival = 'HCP Terraform (published)'

export const burst: Bench = {
  name: 'burst',
  what: '120 tasks queued at once, from the first request on',
  limit: "HCP Terraform's published curve: 23 running at 30 s, 66 at 90 s, 108 at 180 s",
  async run(context) {
    const home = join(context.directory, 'server')
    await mkdir(home)
    await using opened = await openFleetServer(home)
    const accepted = await acceptedBySimulated(opened)
    const spawned = await spawnedByReal(opened, context)
    const ms = (running: number) => spawned[running - 1] ?? Number.NaN
    return [
      row('120 simulated agents: all 120 accepted', accepted, 180_000, 300),
      ...published.map((point) => row(`12 real agents: ${point.running} spawned`, ms(point.running), point.ms)),
      row('12 real agents: all 120 spawned', ms(tasks), 180_000, 3_000),
    ]
  },
}

function row(what: string, ours: number, limit: number, atMost?: number): Row {
  const target = atMost === undefined ? {} : { target: { of: 'ours', atMost } as const }
  return { what, ours, limit, unit: 'ms', against: rival, ...target }
}

/** Until the server has every acceptance: it then counts 120 running tasks. Milliseconds of the middle round. */
async function acceptedBySimulated({ server, pool }: FleetServer): Promise<number> {
  let accepted = 0
  let onAllAccepted: () => void = () => {}
  await using fleet = new SimulatedFleet({
    url: server.url,
    key: pool.key,
    onRunTask(agent, task) {
      agent.accept(task)
      accepted += 1
      if (accepted === tasks) onAllAccepted()
    },
  })
  await fleet.growTo(tasks)
  const times: number[] = []
  for (let round = 0; round < rounds; round++) {
    const workspaces = await makeWorkspaces(server.client, pool, tasks)
    accepted = 0
    const allAccepted = new Promise<void>((resolve) => {
      onAllAccepted = resolve
    })
    const from = performance.now()
    await Promise.all([queuePlans(server.client, workspaces), allAccepted])
    await eventually('every task runs', () => areAllRunning(server.client), { everyMs: 2 })
    times.push(performance.now() - from)
    for (const agent of fleet.agents) for (const task of agent.running) await fleet.finish(agent, task)
  }
  return median(times)
}

async function areAllRunning({ tasks: api }: FleetServer['server']['client']): Promise<boolean> {
  return (await api.list({ query: { status: 'running', limit: 200 } })).items.length === tasks
}

/** When each began, in order, since the first request. */
async function spawnedByReal({ server, pool }: FleetServer, { directory, say }: BenchContext): Promise<number[]> {
  const terraformHome = join(directory, 'terraform')
  await mkdir(terraformHome)
  const terraform = await layOutTimedTerraform(terraformHome, { initSeconds })
  await using _agents = await startAgents(realAgents, async (index) => {
    const home = join(directory, `agent-${index}`)
    await mkdir(home)
    const args = ['--terraform-path', terraform.path, '--plan-limit', String(tasks / realAgents)]
    return await startAgent({ server, key: pool.key, home, args })
  })
  say(`${realAgents} real agents serve`)
  const workspaces = await makeWorkspaces(server.client, pool, tasks)
  const from = Date.now()
  await queuePlans(server.client, workspaces)
  const begun = await eventually(
    'every task has begun',
    async () => {
      const firsts = new Map<string, number>()
      for (const { workspaceId, at } of await terraform.spawns()) {
        if (!firsts.has(workspaceId)) firsts.set(workspaceId, at - from)
      }
      return firsts.size === tasks && [...firsts.values()]
    },
    { timeoutMs: 60_000 },
  )
  return begun.sort((one, other) => one - other)
}

/** All of them, or none: whichever started ends when another one could not. */
async function startAgents(count: number, start: (index: number) => Promise<RunningAgent>): Promise<AsyncDisposable> {
  const starts = await Promise.allSettled(Array.from({ length: count }, (_, index) => start(index)))
  const running = starts.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
  const end = async () => {
    await Promise.all(running.map((agent) => agent[Symbol.asyncDispose]()))
  }
  const fault = starts.find((one) => one.status === 'rejected')
  if (fault === undefined) return { [Symbol.asyncDispose]: end }
  await end()
  throw fault.reason
}
