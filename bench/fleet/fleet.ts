/** What thousands of connected agents cost one server process, idle and busy, beside a bare `ws` server with the same connections. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Bench, BenchContext } from '../bench.js'
import { openFleetServer } from '../measure/open-fleet.js'
import { SimulatedFleet } from '../measure/simulated-fleet.js'
import { startPeer } from '../peers/peer.js'
import type { Row } from '../report/row.js'
import { keepBusy } from './keep-busy.js'
import { type Load, loadOf, memoryOf, type SampledServer } from './sampled-server.js'

const sizes = [500, 1_000, 2_500, 5_000]
const busyAgents = 500
/** One heartbeat of every agent. */
const roundMs = 10_000
/** Heartbeats are spread evenly: half a round is half of them. */
const bareRoundMs = 5_000
const shortMs = 3_000

interface Sample extends Load {
  readonly agents: number
  readonly memoryKiB: number
}

export const fleet: Bench = {
  name: 'fleet',
  what: 'connected agents on one server process: memory, heartbeats, event loop',
  limit: 'a bare ws server that answers the same connections and frames from memory',
  async run(context) {
    const bare = await measureBare(context)
    const { samples, idleKiB, busy } = await measureOurs(context)
    return [...rowsOf(samples, idleKiB, bare), ...busyRows(busy, last(samples)), ...growthRows(samples)]
  },
}

async function measureOurs({ directory, say }: BenchContext) {
  const home = join(directory, 'server')
  await mkdir(home)
  await using opened = await openFleetServer(home)
  const { server, pool } = opened
  await using agents = new SimulatedFleet({ url: server.url, key: pool.key })
  const sampled = { pid: server.child.pid, fleet: agents, metrics: () => textOf(`${server.url}/metrics`) }
  const idleKiB = await warmed(sampled)
  const samples = await grown(sampled, roundMs, say)
  say(`${busyAgents} of them work`)
  await using work = await keepBusy({ server, pool, fleet: agents, count: busyAgents })
  const busy = { ...(await loadOf(sampled, roundMs)), chunksPerSecond: work.chunksPerSecond() }
  return { samples, idleKiB, busy }
}

async function measureBare({ say }: BenchContext): Promise<{ samples: Sample[]; idleKiB: number }> {
  await using peer = await startPeer('bare-sockets', '{}')
  await using agents = new SimulatedFleet({ url: peer.url, key: { app_key: 'k', app_secret: 's' }, isBare: true })
  const sampled = { pid: peer.pid, fleet: agents, metrics: () => textOf(peer.url) }
  const idleKiB = await warmed(sampled)
  return { idleKiB, samples: await grown(sampled, bareRoundMs, (line) => say(`bare: ${line}`)) }
}

/** The memory of a server that has worked once: what its code and its first connections cost is nobody's share. */
async function warmed(server: SampledServer): Promise<number> {
  await server.fleet.growTo(20)
  await server.metrics()
  return await memoryOf(server)
}

async function grown(server: SampledServer, roundMs: number, say: (line: string) => void): Promise<Sample[]> {
  const samples: Sample[] = []
  for (const agents of sizes) {
    await server.fleet.growTo(agents)
    const load = await loadOf(server, agents === last(sizes) ? roundMs : shortMs)
    const memoryKiB = await memoryOf(server)
    say(`${agents} agents: ${Math.round(memoryKiB / 1024)} MiB, ${load.cores.toFixed(3)} cores`)
    samples.push({ ...load, agents, memoryKiB })
  }
  return samples
}

function rowsOf(ours: Sample[], idleKiB: number, bare: { samples: Sample[]; idleKiB: number }): Row[] {
  return ours.flatMap((sample, index): Row[] => {
    const limit = bare.samples[index] ?? last(bare.samples)
    const isGoal = sample.agents === last(sizes)
    const against = 'bare ws server'
    const common = { against, limit: 0 }
    return [
      {
        ...common,
        what: `${sample.agents} agents: memory per agent`,
        ours: (sample.memoryKiB - idleKiB) / sample.agents,
        limit: (limit.memoryKiB - bare.idleKiB) / limit.agents,
        unit: 'KiB',
        ...(isGoal && { target: { of: 'ours', atMost: 25 } }),
      },
      {
        ...common,
        what: `${sample.agents} agents: heartbeats`,
        ours: sample.cores,
        limit: limit.cores,
        unit: 'cores',
        ...(isGoal && { target: { of: 'ours', atMost: 0.25 } }),
      },
      {
        ...common,
        what: `${sample.agents} agents: event loop p99`,
        ours: sample.loopP99Ms,
        limit: limit.loopP99Ms,
        unit: 'ms',
        ...(isGoal && { target: { of: 'ours', atMost: 20 } }),
      },
    ]
  })
}

function busyRows(busy: Load & { chunksPerSecond: number }, idle: Sample): Row[] {
  const what = `${idle.agents} agents, ${busyAgents} busy`
  const against = 'all idle'
  return [
    {
      what: `${what} (${busy.chunksPerSecond.toFixed(0)} chunks/s)`,
      ours: busy.cores,
      limit: idle.cores,
      unit: 'cores',
      against,
    },
    { what: `${what}: event loop p99`, ours: busy.loopP99Ms, limit: idle.loopP99Ms, unit: 'ms', against },
  ]
}

/** Flat: what an agent costs that joins thousands, and what one costs that joins hundreds; both without the server's own share. */
function growthRows([first, , middle, last]: Sample[]): Row[] {
  if (first === undefined || middle === undefined || last === undefined) return []
  const against = `from ${first.agents} to ${middle.agents}`
  const what = `each agent from ${middle.agents} to ${last.agents}`
  const between = (of: (sample: Sample) => number, from: Sample, to: Sample) =>
    (of(to) - of(from)) / (to.agents - from.agents)
  const memory = (sample: Sample) => sample.memoryKiB
  const microcores = (sample: Sample) => sample.cores * 1_000_000
  return [
    {
      what: `${what}: memory`,
      ours: between(memory, middle, last),
      limit: between(memory, first, middle),
      unit: 'KiB',
      against,
    },
    {
      what: `${what}: millionths of a core`,
      ours: between(microcores, middle, last),
      limit: between(microcores, first, middle),
      unit: '',
      against,
    },
  ]
}

async function textOf(url: string): Promise<string> {
  return await (await fetch(url)).text()
}

function last<T>(items: readonly T[]): T {
  const item = items.at(-1)
  if (item === undefined) throw new RangeError('nothing was measured')
  return item
}
