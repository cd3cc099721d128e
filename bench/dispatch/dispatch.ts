/** From the later of (task committed, slot free) to run_task at the agent, and to terraform's first act. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { percentile } from '@iac-agent/testkit'
import type { Bench } from '../bench.js'
import { openFleetServer } from '../measure/open-fleet.js'
import { startPeer } from '../peers/peer.js'
import type { Row, Target } from '../report/row.js'
import { committedEcho } from './committed-echo.js'
import { receiptsOfIdleAgent, spawnsOfIdleAgent } from './idle-agent.js'
import { postsBehindQueue } from './long-queue.js'
import { receiptsOfQueue } from './queue.js'

const echoes = 300

export const dispatch: Bench = {
  name: 'dispatch',
  what: "the later of (task committed, slot free) → run_task received → terraform's first act",
  limit: 'one echo over a bare WebSocket whose server commits one SQLite row before it answers',
  async run({ directory, say }) {
    const home = join(directory, 'server')
    await mkdir(home)
    await using opened = await openFleetServer(home)
    await using peer = await startPeer('bare-sockets', JSON.stringify({ database: join(directory, 'limit.sqlite') }))
    const limit = await committedEcho(peer.url, echoes)
    say('one idle agent')
    const idle = await receiptsOfIdleAgent(opened)
    say('200 tasks on 20 agents')
    const queue = await receiptsOfQueue(opened)
    say('one idle real agent')
    const spawns = await spawnsOfIdleAgent(opened, directory)
    say('POSTs behind a long queue')
    const posts = await postsBehindQueue(opened)
    const limits = [...limit, ...(await committedEcho(peer.url, echoes))]
    const to = (what: string, values: number[], share: number, target?: Target): Row => ({
      what: `${what}, p${share * 100}`,
      ours: percentile(values, share),
      limit: percentile(limits, share),
      unit: 'ms',
      against: 'ws echo + committed row',
      ...(target && { target }),
    })
    return [
      to('one idle agent: to run_task', idle, 0.5, { of: 'ours', atMost: 5 }),
      to('one idle agent: to run_task', idle, 0.99, { of: 'ours', atMost: 25 }),
      to('200 tasks on 20 agents: to run_task', queue, 0.5, { of: 'ours', atMost: 5 }),
      to('200 tasks on 20 agents: to run_task', queue, 0.99, { of: 'ours', atMost: 25 }),
      to('one idle agent: to terraform spawned', spawns, 0.5, { of: 'ours', atMost: 25 }),
      to('one idle agent: to terraform spawned', spawns, 0.99),
      ...[...posts].map(([length, values]) => to(`POST of a task behind ${length} that wait`, values, 0.5)),
    ]
  },
}
