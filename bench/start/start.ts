/** How fast an agent is there, and what it costs while nothing is to be done. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { createPoolAndKey, median, startServer } from '@iac-agent/testkit'
import { execa } from 'execa'
import type { Bench, BenchContext } from '../bench.js'
import { type Usage, usageOf } from '../measure/process-usage.js'
import { timed } from '../measure/timed.js'
import type { Row } from '../report/row.js'
import { type AgentStart, startReadyAgent } from './agent-process.js'

const rounds = 9
const idleMs = 25_000
/** After the start, so that only idleness is measured. */
const settleMs = 3_000

export const start: Bench = {
  name: 'start',
  what: '`iac-agent start` of the built bundle to its line `ready`, registered and welcomed by a server; then the agent idle, heartbeats and all',
  limit: '`node -e 0`, in turn with the starts; `node` that waits for a timer',
  async run(context) {
    await using server = await startServer()
    const { key } = await createPoolAndKey(server.client)
    const at = (dataDir: string): AgentStart => ({ serverUrl: server.url, key, dataDir })
    const starts = await measureStarts(context, at)
    return [...starts, ...(await measureIdle(context, at(join(context.directory, 'agent-0'))))]
  },
}

async function measureStarts(context: BenchContext, at: (dataDir: string) => AgentStart): Promise<Row[]> {
  const times: Record<'first' | 'again' | 'node', number[]> = { first: [], again: [], node: [] }
  for (let round = 0; round < rounds; round++) {
    const dataDir = join(context.directory, `agent-${round}`)
    await mkdir(dataDir)
    times.first.push(await readyMs(at(dataDir)))
    times.again.push(await readyMs(at(dataDir)))
    times.node.push(await timed(() => execa(process.execPath, ['-e', '0'], { stdin: 'ignore' })))
  }
  const row = (what: string, ours: readonly number[]): Row => ({
    what,
    ours: median(ours),
    limit: median(times.node),
    unit: 'ms',
    against: 'node -e 0',
    target: { of: 'ratio', atMost: 4 },
  })
  const rows = [row('start to ready, again', times.again), row('start to ready, new data directory', times.first)]
  context.say(
    rows.map(({ what, ours, limit }) => `${what}: ${ours.toFixed(0)} ms (node ${limit.toFixed(0)} ms)`).join('; '),
  )
  return rows
}

async function readyMs(start: AgentStart): Promise<number> {
  await using agent = await startReadyAgent(start)
  return agent.readyMs
}

async function measureIdle(context: BenchContext, start: AgentStart): Promise<Row[]> {
  await using agent = await startReadyAgent(start)
  await using idler = idleNode()
  await pause(settleMs)
  const [agentBefore, nodeBefore] = await Promise.all([usageOf(agent.pid), usageOf(idler.pid)])
  await pause(idleMs)
  const [agentAfter, nodeAfter] = await Promise.all([usageOf(agent.pid), usageOf(idler.pid)])
  context.say(`idle: ${(agentAfter.rssKiB / 1024).toFixed(0)} MiB`)
  const against = 'an idle node'
  const mib = ({ rssKiB }: Usage) => rssKiB / 1024
  const share = (before: Usage, after: Usage) => ((after.cpuSeconds - before.cpuSeconds) / (idleMs / 1000)) * 100
  return [
    {
      what: 'resident memory, idle',
      ours: mib(agentAfter),
      limit: mib(nodeAfter),
      unit: 'MiB',
      against,
      target: { of: 'ours', atMost: 85 }, // 90 MB are 85.8 MiB
    },
    {
      what: `CPU of one core over ${idleMs / 1000} s, idle`,
      ours: share(agentBefore, agentAfter),
      limit: share(nodeBefore, nodeAfter),
      unit: '%',
      against,
      target: { of: 'ours', atMost: 0.5 },
    },
  ]
}

function idleNode(): { pid: number } & AsyncDisposable {
  const child = execa(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdin: 'ignore', reject: false })
  return {
    pid: child.pid ?? 0,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await child
    },
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
