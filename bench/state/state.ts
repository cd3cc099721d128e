/** States on their way: from terraform to the agent's disk, and on to the terraform of the next task on another agent. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { createPoolAndKey, median, startAgent, startServer } from '@iac-agent/testkit'
import type { Bench } from '../bench.js'
import { resetPeak, usageOf } from '../measure/process-usage.js'
import type { Row } from '../report/row.js'
import { layOutStateProgram } from './lay-out.js'
import { type Passage, passState, type Stations } from './pass-state.js'

/** Megabytes, and how often. */
const sizes = [
  { megabytes: 1, passages: 3, states: 4 },
  { megabytes: 10, passages: 3, states: 3 },
  { megabytes: 50, passages: 2, states: 2 },
  { megabytes: 100, passages: 3, states: 2 },
] as const
const bytesPerMegabyte = 1_000_000
const endToEndTargetAt = 100
/** Of a smaller state nobody can tell its memory from a garbage collector's mood. */
const leastMemoryMegabytes = 10

export const state: Bench = {
  name: 'state',
  what: 'a state from terraform to the agent, and through the server to the next task on another agent',
  limit: 'writing the same bytes to a file of the same disk, and fsync',
  async run({ directory, say }) {
    const homes = { server: join(directory, 'server'), one: join(directory, 'one'), other: join(directory, 'other') }
    for (const home of Object.values(homes)) await mkdir(home)
    const args = ['--terraform-path', await layOutStateProgram(directory)]
    await using server = await startServer({ home: homes.server })
    const { poolId, key } = await createPoolAndKey(server.client)
    await using one = await startAgent({ server, key, args, name: 'one', home: homes.one })
    await using other = await startAgent({ server, key, args, name: 'other', home: homes.other })
    const stations: Stations = { client: server.client, poolId, directory }
    await passState(stations, { sizeBytes: 10_000, states: 1 })
    const pids = { server: [server.child.pid], agent: [one.child.pid, other.child.pid] }
    const idleKiB = { server: await rssKiB(pids.server), agent: await rssKiB(pids.agent) }
    const rows: Row[] = []
    for (const { megabytes, passages, states } of sizes) {
      for (const pid of [...pids.server, ...pids.agent]) await resetPeak(pid)
      const passed: Passage[] = []
      for (let n = 0; n < passages; n++) {
        passed.push(await passState(stations, { sizeBytes: megabytes * bytesPerMegabyte, states }))
        say(`${megabytes} MB: ${JSON.stringify(passed.at(-1))}`)
      }
      rows.push(...timeRows(megabytes, passed))
      rows.push(memoryRow(megabytes, 'agent', (await peakKiB(pids.agent)) - idleKiB.agent))
      rows.push(memoryRow(megabytes, 'server', (await peakKiB(pids.server)) - idleKiB.server))
    }
    return rows
  },
}

function timeRows(megabytes: number, passed: readonly Passage[]): Row[] {
  const posts = passed.flatMap(({ posts }) => posts)
  const common = { limit: median(posts.map(({ bareMs }) => bareMs)), unit: 'ms', against: 'write + fsync' } as const
  const ours = median(posts.map(({ ms }) => ms))
  const endToEnd = {
    what: `${megabytes} MB: POST → on the next agent's disk, terraform begun`,
    ours: median(passed.map(({ endToEndMs }) => endToEndMs)),
    ...common,
  }
  return [
    { what: `${megabytes} MB: POST → acknowledged`, ours, ...common, target: { of: 'ratio', atMost: 3 } },
    megabytes === endToEndTargetAt ? { ...endToEnd, target: { of: 'ratio', atMost: 8 } } : endToEnd,
  ]
}

function memoryRow(megabytes: number, who: 'agent' | 'server', aboveIdleKiB: number): Row {
  const row = {
    what: `${megabytes} MB: memory of the ${who} above idle`,
    ours: aboveIdleKiB / 1024,
    limit: (megabytes * bytesPerMegabyte) / 2 ** 20,
    unit: 'MiB',
    against: 'the state itself',
  } as const
  return megabytes < leastMemoryMegabytes ? row : { ...row, target: { of: 'ratio', atMost: 3 } }
}

/** Of the largest of them. */
async function rssKiB(pids: readonly number[]): Promise<number> {
  return Math.max(...(await Promise.all(pids.map(usageOf))).map((usage) => usage.rssKiB))
}

async function peakKiB(pids: readonly number[]): Promise<number> {
  return Math.max(...(await Promise.all(pids.map(usageOf))).map((usage) => usage.peakRssKiB))
}
