/** 2,000 agents lose their server at once and come back by the protocol's rule; what they run goes on. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as elapsed } from 'node:timers/promises'
import { eventually } from '@iac-agent/testkit'
import type { Bench, BenchContext } from '../bench.js'
import { type FleetServer, openFleetServer } from '../measure/open-fleet.js'
import { makeWorkspaces, queuePlans } from '../measure/plan-tasks.js'
import { SimulatedFleet } from '../measure/simulated-fleet.js'
import { type RunningPeer, startPeer } from '../peers/peer.js'
import type { Row } from '../report/row.js'

const agents = 2_000
const holders = 200
/** As long as an update of the host takes: every agent then waits as long as it ever does between two tries. */
const outageMs = 10_000
/** Answers that the agent tries again after. */
const retried: readonly number[] = [429, 503]

export const stampede: Bench = {
  name: 'stampede',
  what: `the server is killed and starts again under ${agents} agents, ${holders} of which hold a running task`,
  limit: 'a bare ws server under the same rule of coming back (0.5 s doubling to 3 s busy, 10 s idle, full jitter)',
  async run(context) {
    const bare = await measureBare(context)
    const ours = await measureOurs(context)
    return [
      timeRow('killed and started at once: all agents back', ours.atOnceMs, bare.atOnceMs),
      timeRow('away for 10 s: all agents back', ours.afterOutageMs, bare.afterOutageMs),
      countRow('agents that came back', ours.back, agents, 'all of them'),
      countRow('agents never refused for good', agents - ours.refusedForGood, agents, 'all of them'),
      countRow('attempts that kept their lease', ours.kept, holders, 'held before'),
    ]
  },
}

function timeRow(what: string, ours: number, limit: number): Row {
  const target = { of: 'ours', atMost: 15_000 } as const
  return { what, ours, limit, unit: 'ms', against: 'bare ws server', target }
}

function countRow(what: string, ours: number, limit: number, against: string): Row {
  return { what, ours, limit, unit: '', against, target: { of: 'ratio', atLeast: 1 } }
}

async function measureOurs({ directory, say }: BenchContext) {
  const home = join(directory, 'server')
  await mkdir(home)
  await using opened = await openFleetServer(home)
  const { server, pool } = opened
  await using fleet = new SimulatedFleet({ url: server.url, key: pool.key })
  await fleet.growTo(agents)
  await queuePlans(server.client, await makeWorkspaces(server.client, pool, holders))
  await eventually('every task runs', async () => (await runningAttempts(opened)).length === holders)
  const before = await runningAttempts(opened)
  const restart = { kill: () => server.stop('SIGKILL'), start: () => server.start() }
  const atOnceMs = await timeBack(fleet, restart, 0)
  say(`all back after ${Math.round(atOnceMs)} ms`)
  const afterOutageMs = await timeBack(fleet, restart, outageMs)
  say(`all back after an outage, ${Math.round(afterOutageMs)} ms`)
  const after = new Set(await runningAttempts(opened))
  const refusals = [...fleet.refusals].filter(([status]) => !retried.includes(status))
  const refusedForGood = [...refusals, ...fleet.verdicts].reduce((sum, [, count]) => sum + count, 0)
  return {
    atOnceMs,
    afterOutageMs,
    back: fleet.connected,
    refusedForGood,
    kept: before.filter((one) => after.has(one)).length,
  }
}

async function measureBare({ say }: BenchContext) {
  let peer: RunningPeer = await startPeer('bare-sockets', '{}')
  const port = Number(new URL(peer.url).port)
  await using _last = { [Symbol.asyncDispose]: () => peer[Symbol.asyncDispose]() }
  await using fleet = new SimulatedFleet({ url: peer.url, key: { app_key: 'k', app_secret: 's' }, isBare: true })
  await fleet.growTo(agents)
  const restart = {
    kill: () => peer[Symbol.asyncDispose](),
    start: async () => {
      peer = await startPeer('bare-sockets', JSON.stringify({ port }))
    },
  }
  const atOnceMs = await timeBack(fleet, restart, 0)
  const afterOutageMs = await timeBack(fleet, restart, outageMs)
  say(`bare: all back after ${Math.round(atOnceMs)} ms, after an outage ${Math.round(afterOutageMs)} ms`)
  return { atOnceMs, afterOutageMs }
}

/** From the kill, or (after an outage) from the start of the new process, until the last agent is welcome. */
async function timeBack(
  fleet: SimulatedFleet,
  server: { kill(): PromiseLike<unknown>; start(): Promise<unknown> },
  awayMs: number,
): Promise<number> {
  const killedAt = performance.now()
  await server.kill()
  await elapsed(awayMs)
  const from = awayMs === 0 ? killedAt : performance.now()
  await server.start()
  await fleet.allWelcome()
  return performance.now() - from
}

/** `task/attempt` of those that run and whose agent is heard. */
async function runningAttempts({ server }: FleetServer): Promise<string[]> {
  const { items } = await server.client.tasks.list({ query: { status: 'running', limit: 200 } })
  return items.filter((task) => task.unreachable_since === null).map((task) => `${task.id}/${task.attempt}`)
}
