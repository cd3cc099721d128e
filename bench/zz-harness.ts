import { mkdir, mkdtemp } from 'node:fs/promises'
import { eventually } from '@iac-agent/testkit'
import { openFleetServer } from './measure/open-fleet.js'
import { SimulatedFleet } from './measure/simulated-fleet.js'
import { keepBusy } from './fleet/keep-busy.js'
import { usageOf } from './measure/process-usage.js'
import { makeWorkspaces, queuePlans } from './measure/plan-tasks.js'
const [mode, n, m] = process.argv.slice(2)
const home = await mkdtemp('/tmp/w/c-home-')
await using opened = await openFleetServer(home)
const { server, pool } = opened
await using fleet = new SimulatedFleet({ url: server.url, key: pool.key })
await fleet.growTo(Number(n))
const cpu = async (what: string, f: () => Promise<unknown>) => {
  const a = await usageOf(server.child.pid), t = performance.now()
  await f()
  const b = await usageOf(server.child.pid), s = (performance.now() - t) / 1000
  console.log(what, 'wall', s.toFixed(2), 'cpu', (b.cpuSeconds - a.cpuSeconds).toFixed(2))
}
const wait = (ms: number) => new Promise((r) => setTimeout(r, ms))
if (mode === 'idle') await cpu('idle', () => wait(10_000))
if (mode === 'busy') {
  const t = performance.now()
  await using work = await keepBusy({ server, pool, fleet, count: Number(m) })
  console.log('placed in', performance.now() - t)
  await cpu('busy', () => wait(10_000))
  console.log(work.chunksPerSecond())
}
if (mode === 'burst') {
  for (let i = 0; i < 3; i++) {
    const ws = await makeWorkspaces(server.client, pool, Number(m))
    await cpu('burst', async () => {
      await queuePlans(server.client, ws)
      await eventually('x', async () => (await server.client.tasks.list({ query: { status: 'running', limit: 200 } })).items.length === Number(m), { everyMs: 2, timeoutMs: 60000 })
    })
    for (const agent of fleet.agents) for (const task of agent.running) await fleet.finish(agent, task)
  }
}
