/** What a task costs through server and agent, beside terraform run by hand: the same commands, disk and parallelism. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { createPoolAndKey, median, startAgent, startServer } from '@iac-agent/testkit'
import type { Bench, BenchContext } from '../bench.js'
import { startPeer } from '../peers/peer.js'
import type { Row, Target } from '../report/row.js'
import { BareRun } from './bare.js'
import { OurRun } from './ours.js'
import { TaskEvents } from './task-events.js'

type Temperature = 'cold' | 'warm'

interface Size {
  readonly resources: number
  readonly rounds: Readonly<Record<Temperature, number>>
}

const sizes: readonly Size[] = [
  { resources: 1, rounds: { cold: 7, warm: 15 } },
  { resources: 100, rounds: { cold: 7, warm: 9 } },
  { resources: 1_000, rounds: { cold: 1, warm: 2 } },
]
const longSizes: readonly Size[] = [{ resources: 5_000, rounds: { cold: 0, warm: 1 } }]

export const overhead: Bench = {
  name: 'overhead',
  what:
    'POST task -> final status, plan_and_apply with auto_apply, of n terraform_data; the operator hears of it by GET /events and then ' +
    'asks. Cold: the first run of a workspace; warm: it has run before, its state is empty again (an import). The agent has run others before.',
  limit:
    'bare init + plan -out + show -json + apply in one shell, with the local backend and with the least http backend on loopback ' +
    '(warm: in a directory that is initialised, its state empty again); rounds of one run each in turn, medians',
  async run(context) {
    const states = join(context.directory, 'states')
    await mkdir(states)
    await using backend = await startPeer('http-backend', states)
    await using server = await startServer()
    const { poolId, key } = await createPoolAndKey(server.client)
    await using _agent = await startAgent({ server, key })
    await using events = await TaskEvents.open(server.client)
    const ours = new OurRun(server.client, poolId, events)
    const runs: Runs = {
      ours,
      local: new BareRun({ directory: context.directory }),
      http: new BareRun({ directory: context.directory, http: { url: backend.url, states } }),
    }
    await ours.cold(1) // the agent's first run knows nothing of terraform yet
    const rows: Row[] = []
    for (const size of [...sizes, ...(context.isFull ? longSizes : [])]) {
      for (const temperature of ['cold', 'warm'] as const) {
        if (size.rounds[temperature] > 0) rows.push(...(await measure(context, runs, size, temperature)))
      }
    }
    return rows
  },
}

type Side = 'ours' | 'local' | 'http'
type Runs = Readonly<Record<Side, Pick<OurRun, Temperature>>>

async function measure(context: BenchContext, runs: Runs, size: Size, temperature: Temperature): Promise<Row[]> {
  const { resources } = size
  const times: Record<Side, number[]> = { ours: [], local: [], http: [] }
  const once: Record<Side, () => Promise<number>> = {
    ours: await prepare(runs.ours, resources, temperature),
    local: await prepare(runs.local, resources, temperature),
    http: await prepare(runs.http, resources, temperature),
  }
  for (let round = 0; round < size.rounds[temperature]; round++) {
    for (const side of ['local', 'ours', 'http'] as const) times[side].push(await once[side]())
  }
  const row = (against: string, limit: readonly number[], target: Target | undefined): Row => ({
    what: `${resources.toLocaleString('en')} ${resources === 1 ? 'resource' : 'resources'}, ${temperature}`,
    ours: median(times.ours),
    limit: median(limit),
    unit: 'ms',
    against,
    ...(target && { target }),
  })
  const rows = [
    row('bare, local backend', times.local, targetOf(resources, temperature)),
    row('bare, http backend', times.http, resources >= 100 ? { of: 'ratio', atMost: 1.1 } : undefined),
  ]
  context.say(
    rows
      .map(({ what, ours, limit, against }) => `${what}: ${ours.toFixed(0)} ms, ${against} ${limit.toFixed(0)} ms`)
      .join('; '),
  )
  return rows
}

async function prepare(run: Runs[Side], resources: number, temperature: Temperature): Promise<() => Promise<number>> {
  return temperature === 'cold' ? () => run.cold(resources) : await run.warm(resources)
}

/** Against the local backend; of small runs a first one is only shown. */
function targetOf(resources: number, temperature: Temperature): Target | undefined {
  const atMost = ({ 1: 1.15, 100: 0.8, 1000: 0.25, 5000: 0.08 } as Record<number, number>)[resources]
  if (atMost === undefined || (resources <= 100 && temperature === 'cold')) return undefined
  return { of: 'ratio', atMost }
}
