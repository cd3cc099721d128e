/** How many requests of the agents' API a built server answers, against the least that could answer them with the same promise. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { createPoolAndKey, median, startFakeAgent, startServer } from '@iac-agent/testkit'
import type { Bench, BenchContext } from '../bench.js'
import { rateOf } from '../measure/http-load.js'
import { stateText } from '../measure/state-text.js'
import { type RunningPeer, startPeer } from '../peers/peer.js'
import type { Row } from '../report/row.js'
import type { BareRows } from './bare-api.js'
import { type Holder, holdAttempts } from './held-attempts.js'
import { type Callers, type MeasuredRequest, measuredRequests } from './requests.js'

const mostInFlight = 16
const rounds = 3
const roundMs = 500
const stateBytes = 1_000_000
/** Beyond what can be asked here: the limit counts on, and never refuses. */
const unlimited = ['--agent-rate-limit', '10000000', '--operator-rate-limit', '10000000']

export const api: Bench = {
  name: 'api',
  what: 'requests of the agent API answered a second, over kept connections',
  limit: 'bare Fastify routes that read or write the same rows of an SQLite file, durably, with group commit as ours',
  async run(context) {
    const home = join(context.directory, 'server')
    await mkdir(home)
    await using server = await startServer({ home, args: unlimited })
    const pool = await createPoolAndKey(server.client)
    const elsewhere = await createPoolAndKey(server.client, 'idle')
    await using idle = await startFakeAgent({ url: server.url, key: elsewhere.key, agentId: 'idle' })
    context.say(`preparing ${mostInFlight} attempts`)
    const state = Buffer.from(stateText(stateBytes, { serial: 1, lineage: 'c5e1f3a0-6f1e-4c1e-9d55-000000000001' }))
    await using holder = await holdAttempts(server, pool, mostInFlight, state)
    const { agentId, attempts } = holder
    const callers = {
      server,
      key: pool.key,
      holderId: agentId,
      attempts,
      idle: { agentId: idle.agentId, key: elsewhere.key },
    }
    const requests = measuredRequests(callers)
    await using bare = await startPeer('bare-api', join(context.directory, 'bare.sqlite'))
    await prepare(bare, callers, requests)
    return await measureAll(context, server.url, bare, holder, requests)
  },
}

async function measureAll(
  { say }: BenchContext,
  url: string,
  bare: RunningPeer,
  holder: Holder,
  requests: readonly MeasuredRequest[],
): Promise<Row[]> {
  const rows: Row[] = []
  for (const request of requests) {
    for (const inFlight of [1, mostInFlight]) {
      holder.beat()
      const what = `${request.what}, ${inFlight} in flight`
      const { ours, limit } = await compare(url, bare.url, request, inFlight)
      say(`${what}: ${Math.round(ours)}/s of ${Math.round(limit)}/s`)
      rows.push({
        what,
        ours,
        limit,
        unit: '/s',
        against: 'bare Fastify and SQLite',
        target: { of: 'ratio', atLeast: 0.6 },
      })
    }
  }
  return rows
}

/** In turns, so that a disk that grows slow is slow for both. */
async function compare(
  oursUrl: string,
  bareUrl: string,
  { ours, bare }: MeasuredRequest,
  inFlight: number,
): Promise<{ ours: number; limit: number }> {
  const rates = { ours: [] as number[], limit: [] as number[] }
  await rateOf(oursUrl, { inFlight, ms: roundMs }, ours)
  await rateOf(bareUrl, { inFlight, ms: roundMs }, bare)
  for (let round = 0; round < rounds; round++) {
    rates.ours.push(await rateOf(oursUrl, { inFlight, ms: roundMs }, ours))
    rates.limit.push(await rateOf(bareUrl, { inFlight, ms: roundMs }, bare))
  }
  return { ours: median(rates.ours), limit: median(rates.limit) }
}

/** The bare routes answer with what ours answered once. */
async function prepare(bare: RunningPeer, { server }: Callers, requests: readonly MeasuredRequest[]): Promise<void> {
  const [document = '', documentWithState = ''] = await Promise.all(
    requests.slice(0, 2).map(async ({ ours }) => {
      const { path, headers } = ours(0)
      const response = await fetch(`${server.url}${path}`, { headers })
      if (!response.ok) throw new Error(`${path} was answered ${response.status}: ${await response.text()}`)
      return await response.text()
    }),
  )
  const rows: BareRows = { tasks: mostInFlight, document, documentWithState }
  const body = JSON.stringify(rows)
  const response = await fetch(`${bare.url}/prepare`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  })
  if (!response.ok) throw new Error(`the bare routes were not prepared: ${await response.text()}`)
}
