/** What thousands of connected agents cost one server process, idle and busy, beside a bare `ws` server with the same connections. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Bench, BenchContext } from '../bench.js'
import { last } from '../measure/last.js'
import { openFleetServer } from '../measure/open-fleet.js'
import { SimulatedFleet } from '../measure/simulated-fleet.js'
import { startPeer } from '../peers/peer.js'
import { busyRows, growthRows, rowsOf, type Sample } from './fleet-rows.js'
import { keepBusy } from './keep-busy.js'
import { loadOf, memoryOf, type SampledServer } from './sampled-server.js'

const sizes = [500, 1_000, 2_500, 5_000]
const busyAgents = 500
/** One heartbeat of every agent. */
const roundMs = 10_000
/** Heartbeats are spread evenly: half a round is half of them. */
const bareRoundMs = 5_000
const shortMs = 3_000

export const fleet: Bench = {
  name: 'fleet',
  what: 'connected agents on one server process: memory, heartbeats, event loop',
  limit: 'a bare ws server that answers the same connections and frames from memory',
  async run(context) {
    const bare = await measureBare(context)
    const { samples, idleKiB, busy } = await measureOurs(context)
    return [...rowsOf(samples, idleKiB, bare), ...busyRows(busy, last(samples), busyAgents), ...growthRows(samples)]
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

async function textOf(url: string): Promise<string> {
  return await (await fetch(url)).text()
}
