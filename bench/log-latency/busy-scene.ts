/** A server with many busy tasks: a few of real agents, whose plans print what we want, and many of simulated ones. */
import { createPoolAndKey, eventually, type RunningServer, startAgent, startServer } from '@iac-agent/testkit'
import { Opened } from '../measure/opened.js'
import { type RunningPeer, startPeer } from '../peers/peer.js'
import type { BusyFleet } from './busy-fleet.js'
import { PipedTerraform } from './piped-terraform.js'
import { type Printing, startPrinting } from './printing.js'

const bytesPerSecond = 20 * 1024
const realAgents = 4
const plansEach = 5
const simulated = { agents: 18, tasksEach: 10, bytesPerSecond }

export interface BusyScene extends AsyncDisposable {
  readonly server: RunningServer
  /** tasks of the real agents */
  readonly watchable: readonly number[]
  readonly agentPids: readonly number[]
  readonly printing: Printing
}

/** Resolves when all tasks print. */
export async function openBusyScene(directory: string): Promise<BusyScene> {
  await using stack = new Opened()
  const server = stack.use(await startServer())
  await startBackground(server, stack)
  const terraform = await PipedTerraform.layOut(directory)
  const { poolId, key } = await createPoolAndKey(server.client, 'watched')
  const args = ['--terraform-path', terraform.program, '--plan-limit', String(plansEach)]
  const agents = await Promise.all(
    Array.from({ length: realAgents }, async (_, index) =>
      stack.use(await startAgent({ server, key, args, name: `watched-${index}` })),
    ),
  )
  const workspaces = await workspacesOf(server, poolId, realAgents * plansEach)
  const pipes = await Promise.all(workspaces.map((id) => terraform.pipe(id)))
  const printing = stack.use(startPrinting(pipes, bytesPerSecond))
  const watchable = await runPlans(server, workspaces)
  const opened = stack.move()
  return {
    server,
    watchable,
    agentPids: agents.map(({ child }) => child.pid),
    printing,
    [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
  }
}

async function startBackground(server: RunningServer, stack: Opened): Promise<RunningPeer> {
  const { poolId, key } = await createPoolAndKey(server.client, 'busy')
  const fleet: BusyFleet = { url: server.url, key, ...simulated }
  const peer = stack.use(await startPeer('busy-fleet', JSON.stringify(fleet)))
  await runPlans(server, await workspacesOf(server, poolId, simulated.agents * simulated.tasksEach))
  return peer
}

async function workspacesOf({ client }: RunningServer, poolId: string, count: number): Promise<string[]> {
  const ids: string[] = []
  for (let index = 0; index < count; index++) {
    const { id } = await client.workspaces.create({
      body: { name: `${poolId}-${index}`, pool_id: poolId, tf_code: '#' },
    })
    ids.push(id)
  }
  return ids
}

/** Answers the tasks once each has printed. */
async function runPlans({ client }: RunningServer, workspaces: readonly string[]): Promise<number[]> {
  const ids = await Promise.all(
    workspaces.map(async (id) => (await client.tasks.create({ params: { id }, body: { task_type: 'plan' } })).id),
  )
  for (const id of ids) {
    const look = async () => {
      const { headers } = await client.tasks.logs({ params: { id }, query: { phase: 'plan', limit: 1 } })
      return Number(headers.get('x-next-offset')) > 0
    }
    await eventually(`task ${id} prints`, look, { timeoutMs: 30_000, everyMs: 50 })
  }
  return ids
}
