import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createConnection, type Socket } from 'node:net'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import {
  added,
  type Counted,
  type Counts,
  countCalls,
  eventually,
  fakeConfiguration,
  layOutFakeTerraform,
  type RunningAgent,
  startFakeAgent,
  temporaryDirectory,
} from '@iac-agent/testkit'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { agentCosts, serverCosts, syncedFacts } from './expected-counts.js'
import { Rig } from './rig.js'

/** What depends on the moment has a bound: facts of one moment share a sync, and text is synced as it comes, so often at most. */
const journal = 'attempts/T/journal.jsonl'
const text = ['attempts/T/spool', 'attempts/T/spool.json']
const textRoundMs = 200
const lines = 500
const chunks = 16

let directory: Awaited<ReturnType<typeof temporaryDirectory>>
beforeAll(async () => {
  directory = await temporaryDirectory('counts')
})
afterAll(async () => await directory[Symbol.asyncDispose]())

it('an agent syncs, starts and reads for a phase what the table says, and no more', async () => {
  await using rig = await Rig.start()
  const counted = await countCalls(directory.path, 'agent')
  const program = await layOutFakeTerraform(directory.path)
  const agent = await rig.addAgent({ ...counted, args: ['--terraform-path', program] })
  const workspace = await rig.workspace(script(1))
  await rig.apply(workspace) // the first one also finds terraform's version, and whether init is needed
  const before = await settled(counted)
  await rig.client.workspaces.update({ params: { id: workspace }, body: { tf_code: script(2) } })

  const queuedAt = performance.now()
  const id = await rig.queue(workspace, 'plan_and_apply')
  await rig.reached(id, 'apply_pending')
  const planMs = performance.now() - queuedAt
  const planned = await settled(counted)
  const confirmedAt = performance.now()
  await rig.confirm(id)
  await rig.reached(id, 'applied')
  const applyMs = performance.now() - confirmedAt
  const applied = await settled(counted)

  for (const [phase, attempt, from, to, tookMs] of [
    ['plan', 1, before, planned, planMs],
    ['apply', 2, planned, applied, applyMs],
  ] as const) {
    const syncs = added(to.syncs, from.syncs, labelOf)
    const timely = new Set([journal, ...text])
    const others = Object.entries(syncs).filter(([path]) => !timely.has(path))
    expect(Object.fromEntries(others)).toEqual(agentCosts[phase].syncs)
    const recorded = await factsOf(agent, `${id}-${attempt}`)
    const synced = recorded.filter((fact) => syncedFacts.includes(fact))
    expect(syncs[journal], recorded.join(' ')).toBeLessThanOrEqual(synced.length + 1)
    const ends = recorded.filter((fact) => fact === 'exited').length
    const rounds = Math.ceil(tookMs / textRoundMs) + ends + 1 // the last one is not waited for
    for (const path of text) expect(syncs[path]).toBeLessThanOrEqual(rounds * agentCosts[phase].syncsOfTextRound)
    expect(added(to.processes, from.processes)).toEqual(agentCosts[phase].processes)
    const read = added(to.bytesRead, from.bytesRead, labelOf)
    const outputBytes = (read['attempts/T/output'] ?? 0) / agentCosts[phase].readsOfOutput
    expect(Number.isInteger(outputBytes) && outputBytes > lines * 80).toBe(true)
    const logBytes = Buffer.byteLength(await rig.log(id, phase))
    expect((read['attempts/T/spool'] ?? 0) / logBytes).toBe(agentCosts[phase].readsOfSpool)
  }
})

it('a server commits once for what comes at once, with as many statements as the table says', async () => {
  const { counts, ...launch } = await countCalls(directory.path, 'server')
  await using rig = await Rig.start(launch)
  await using agent = await startFakeAgent({ url: rig.server.url, key: rig.pool.key, register: { plan_limit: chunks } })
  agent.heartbeat({ plan_limit: chunks })
  const senders: Sender[] = []
  for (let n = 0; n < chunks; n++) {
    const task_id = await rig.queue(await rig.workspace(''), 'plan')
    const offer = await agent.next('run_task', (order) => order.task_id === task_id)
    agent.send('task_accepted', { task_id, attempt: offer.attempt })
    senders.push(await Sender.open(rig, agent.agentId, task_id, offer.lease_token))
  }
  for (const sender of senders) await sender.send()

  const before = await counts()
  process.kill(rig.server.child.pid, 'SIGSTOP') // all are there when it looks again
  const answers = senders.map((sender) => sender.send())
  await Promise.all(senders.map((sender) => sender.hasLeft))
  process.kill(rig.server.child.pid, 'SIGCONT')
  await Promise.all(answers)
  const appended = await counts()
  const ofChunks = added(appended.statements, before.statements)
  const commits = ofChunks['BEGIN IMMEDIATE'] ?? 0
  expect(commits).toBeGreaterThan(0)
  expect(commits).toBeLessThanOrEqual(serverCosts.commitsOfChunksAtOnce + 1) // one of the reconciler may fall into the time
  expect(perCall(ofChunks)).toEqual(serverCosts.chunk)

  await using idle = await startFakeAgent({ url: rig.server.url, key: rig.pool.key, agentId: 'idle' })
  await idle.next('heartbeat_ack')
  const quiet = await counts()
  for (let n = 0; n < chunks; n++) idle.heartbeat()
  for (let n = 0; n < chunks; n++) await idle.next('heartbeat_ack')
  expect(perCall(added((await counts()).statements, quiet.statements))).toEqual(serverCosts.heartbeat)
})

/** The kinds of facts in an attempt's journal, in order. */
async function factsOf({ dataDir }: RunningAgent, attempt: string): Promise<string[]> {
  const lines = await readFile(join(dataDir, 'attempts', attempt, 'journal.jsonl'), 'utf8')
  return lines
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as { fact: string }).fact)
}

function script(resources: number): string {
  return fakeConfiguration({ planLines: lines, lines, batch: lines, resources })
}

/** It has done all there is to do: for a moment nothing is added. */
async function settled({ counts }: Counted): Promise<Counts> {
  let before = await counts()
  let quietLooks = 0
  const look = async () => {
    const now = await counts()
    quietLooks = isDeepStrictEqual(now, before) ? quietLooks + 1 : 0
    before = now
    return quietLooks === 3 && now // on a busy host an attempt may be put away this late
  }
  return await eventually('the agent is quiet', look, { everyMs: 400 })
}

/** A path whatever the task, workspace and time. */
function labelOf(path: string): string {
  return path
    .replace(/^.*\/data\//, '')
    .replace(/\bws-[0-9a-z]+/, 'W')
    .replace(/\b\d+-\d+(?=\/|$)/, 'T')
    .replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\b[0-9a-f]{12}(?=\.tmp)/, 'X')
}

/** Statements of each of the calls; not those of the transaction they share, nor the reconciler's, of which a pass may fall into the time. */
function perCall(statements: Readonly<Record<string, number>>): Record<string, number> {
  const ofEach = Object.entries(statements).filter(
    ([sql, count]) => count >= chunks && !/^(BEGIN|COMMIT|SAVEPOINT|RELEASE)/.test(sql),
  )
  const sums: Record<string, number> = {}
  for (const [sql, count] of ofEach) {
    const [verb = ''] = sql.split(' ', 1)
    const [, table = ''] = /(?:FROM|INTO|UPDATE) (\w+)/.exec(sql) ?? []
    const label = `${verb} ${table}`.trim()
    sums[label] = (sums[label] ?? 0) + count / chunks
  }
  return sums
}

/** Sends chunks of one log over a connection of its own. */
class Sender {
  hasLeft: Promise<void> = Promise.resolve()
  #offset = 0

  private constructor(
    private readonly socket: Socket,
    private readonly head: string,
  ) {}

  static async open(rig: Rig, agentId: string, taskId: number, lease: string): Promise<Sender> {
    const { hostname, port, host } = new URL(rig.server.url)
    const socket = createConnection({ host: hostname, port: Number(port) })
    await once(socket, 'connect')
    const headers = {
      host,
      'x-app-key': rig.pool.key.app_key,
      'x-app-secret': rig.pool.key.app_secret,
      'x-agent-id': agentId,
      'x-task-lease': lease,
      'content-type': 'application/octet-stream',
    }
    const text = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
    return new Sender(socket, `/api/v1/agents/tasks/${taskId}/logs/chunk?phase=plan HTTP/1.1\r\n${text.join('')}`)
  }

  /** Resolves when it is answered with 200; `hasLeft` before, when it is the kernel's. */
  async send(): Promise<void> {
    const bytes = 'one line of a log\n'
    const target = this.head.replace('?phase=plan', `?phase=plan&offset=${this.#offset}`)
    this.#offset += bytes.length
    this.hasLeft = new Promise((resolve) => {
      this.socket.write(`POST ${target}content-length: ${bytes.length}\r\n\r\n${bytes}`, () => resolve())
    })
    const [answer] = (await once(this.socket, 'data')) as [Buffer]
    if (!answer.toString().startsWith('HTTP/1.1 200 ')) throw new Error(answer.toString())
  }
}
