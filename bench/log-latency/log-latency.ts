/** How long a printed line takes to a viewer's eyes while the server is busy, and what many viewers of one task cost it. */
import { setTimeout as elapsed } from 'node:timers/promises'
import { percentile } from '@iac-agent/testkit'
import type { Bench } from '../bench.js'
import { Opened } from '../measure/opened.js'
import { usageOf } from '../measure/process-usage.js'
import type { Row } from '../report/row.js'
import { type BusyScene, openBusyScene } from './busy-scene.js'
import { echoes } from './echoes.js'
import { openViewer } from './viewer.js'

const warmUpMs = 2_000
const watchMs = 12_000
const crowd = 100
const crowdMs = 4_000
const crowdRounds = 2
/** As long as what a plan prints at once. */
const echoBytes = 1024

export const logLatency: Bench = {
  name: 'log-latency',
  what: '200 tasks that print 20 KiB/s each (20 on 4 real agents, watched by 20 viewers; 180 on simulated agents): line printed to line seen',
  limit:
    'the round trip of a 1 KiB frame to a bare ws echo, under the same load at the same time; one viewer for a hundred',
  async run({ directory, say }) {
    say('200 tasks begin to print')
    await using scene = await openBusyScene(directory)
    say('20 viewers of 20 tasks')
    const watched = await watch(scene)
    say('100 viewers of one task')
    const crowded = await crowdCost(scene)
    return [
      latencyRow('line printed to seen, p50', watched, 0.5, 60),
      latencyRow('line printed to seen, p99', watched, 0.99, 250),
      {
        what: `server with ${crowd} viewers of one task`,
        ours: crowded.many,
        limit: crowded.one,
        unit: 'cores',
        against: 'with one viewer',
        target: { of: 'ratio', atMost: 1.2 },
      },
      {
        what: '4 agents with 5 watched tasks each',
        ours: watched.agentCores,
        limit: watched.serverCores,
        unit: 'cores',
        against: 'the server meanwhile',
      },
    ]
  },
}

interface Watched {
  readonly seen: readonly number[]
  readonly echoed: readonly number[]
  readonly serverCores: number
  readonly agentCores: number
}

async function watch({ server, watchable, agentPids, printing }: BusyScene): Promise<Watched> {
  await using stack = new Opened()
  const viewers = await Promise.all(watchable.map(async (id) => stack.use(await openViewer(server, id))))
  await elapsed(warmUpMs)
  for (const viewer of viewers) viewer.take()
  const over = new AbortController()
  const echoed = echoes(Buffer.alloc(echoBytes, 'terraform'), over.signal)
  const printedBefore = printing.pieces
  const [serverCores, ...agentCores] = await Promise.all(
    [server.child.pid, ...agentPids].map((pid) => coresOf(pid, watchMs)),
  )
  const printed = printing.pieces - printedBefore
  const seen = viewers.flatMap((viewer) => viewer.take())
  over.abort()
  if (seen.length < printed * 0.95) throw new Error(`of ${printed} lines only ${seen.length} were seen`)
  const agents = agentCores.reduce((sum, cores) => sum + cores, 0)
  return { seen, echoed: await echoed, serverCores: serverCores ?? Number.NaN, agentCores: agents }
}

function latencyRow(what: string, { seen, echoed }: Watched, share: number, atMost: number): Row {
  const [ours, limit] = [percentile(seen, share), percentile(echoed, share)]
  return { what, ours, limit, unit: 'ms', against: 'ws echo', target: { of: 'ours', atMost } }
}

/** The server's cores with one viewer and with a crowd of the same task, in turns. */
async function crowdCost({ server, watchable }: BusyScene): Promise<{ one: number; many: number }> {
  const [taskId] = watchable
  if (taskId === undefined) throw new Error('no task is to be watched')
  await using stack = new Opened()
  stack.use(await openViewer(server, taskId))
  const cost = { one: 0, many: 0 }
  for (let round = 0; round < crowdRounds; round++) {
    await elapsed(warmUpMs / 2)
    cost.one += (await coresOf(server.child.pid, crowdMs)) / crowdRounds
    cost.many += (await coresWithCrowd(server, taskId)) / crowdRounds
  }
  return cost
}

async function coresWithCrowd(server: BusyScene['server'], taskId: number): Promise<number> {
  await using stack = new Opened()
  for (let more = 1; more < crowd; more++) stack.use(await openViewer(server, taskId))
  await elapsed(warmUpMs / 2)
  return await coresOf(server.child.pid, crowdMs)
}

/** CPU seconds a second of a process over this time. */
async function coresOf(pid: number, ms: number): Promise<number> {
  const [before, from] = [await usageOf(pid), performance.now()]
  await elapsed(ms)
  const after = await usageOf(pid)
  return (after.cpuSeconds - before.cpuSeconds) / ((performance.now() - from) / 1000)
}
