/** What is on an agent's host, and on the server's mind, although nothing should run. */
import { once } from 'node:events'
import { readdir, readFile, readlink } from 'node:fs/promises'
import { type IncomingMessage, request } from 'node:http'
import { join } from 'node:path'
import { json } from 'node:stream/consumers'
import { processesIn } from '@iac-agent/testkit'
import type { Leftovers } from './evidence.js'
import type { Fleet } from './fleet.js'
import type { FleetAgent } from './fleet-agent.js'

export async function leftoversOf({ server, torn }: Fleet, agent: FleetAgent): Promise<Leftovers> {
  const { name, process: running, home, workRoot, dataDir } = agent
  const { current_tasks: countedTasks } = await server.client.agents.get({ params: { agent_id: running.agentId } })
  const pids = [...(await processesIn(home)), ...(await processesIn(workRoot))].filter((pid) => pid !== agent.life.pid)
  const alarms = await alarmsOf(dataDir)
  const isToldTorn = (attempt: string) => torn.has(attempt) && alarms.some((one) => one.attempt === attempt)
  return {
    agent: name,
    attempts: (await namesIn(join(dataDir, 'attempts'))).filter((attempt) => !isToldTorn(attempt)),
    claims: (await namesIn(workRoot)).filter((entry) => entry.includes('.claim.')),
    processes: await Promise.all([...new Set(pids)].map(commandLine)),
    listeningSockets: await listeningSockets(agent.life.pid),
    countedTasks,
    alarms: alarms.filter(({ attempt }) => !isToldTorn(attempt)).map((one) => JSON.stringify(one)),
  }
}

interface Alarm {
  readonly attempt: string
  readonly item: string
  readonly code: string
}

/** What the running daemon tells `iac-agent status`; none while it is not up. */
async function alarmsOf(dataDir: string): Promise<Alarm[]> {
  const outgoing = request({ socketPath: join(dataDir, 'agent.sock'), path: '/status' }).end()
  const answer = await once(outgoing, 'response').then(([response]) => response as IncomingMessage, absent)
  if (answer === undefined) return []
  return ((await json(answer)) as { alarms: Alarm[] }).alarms
}

async function commandLine(pid: number): Promise<string> {
  const text = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(absent)
  return `${pid} ${text?.replaceAll('\0', ' ').trim() ?? '(gone)'}`
}

/** TCP ports the process serves: an agent at rest serves none. */
async function listeningSockets(pid: number): Promise<number> {
  const links = await Promise.all(
    (await namesIn(`/proc/${pid}/fd`)).map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(absent)),
  )
  const own = new Set(links.map((link) => /^socket:\[(\d+)\]$/.exec(link ?? '')?.[1]))
  const tables = await Promise.all(
    ['tcp', 'tcp6'].map((name) => readFile(`/proc/${pid}/net/${name}`, 'utf8').catch(absent)),
  )
  const rows = tables.flatMap((text) => (text ?? '').split('\n').slice(1)).map((row) => row.trim().split(/\s+/))
  return rows.filter(([, , , state, , , , , , inode]) => state === '0A' && own.has(inode)).length
}

async function namesIn(directory: string): Promise<string[]> {
  return (await readdir(directory).catch(absent)) ?? []
}

function absent(cause: NodeJS.ErrnoException): undefined {
  if (['ENOENT', 'ESRCH', 'ECONNREFUSED', 'ECONNRESET'].includes(cause.code ?? '')) return undefined
  throw cause
}
