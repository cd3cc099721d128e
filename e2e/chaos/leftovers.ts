/** What is on an agent's host, and on the server's mind, although nothing should run. */
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readdir, readFile, readlink } from 'node:fs/promises'
import { type IncomingMessage, request } from 'node:http'
import { join } from 'node:path'
import { json } from 'node:stream/consumers'
import { processesIn } from '@iac-agent/testkit'
import type { KeptData, Leftovers } from './evidence.js'
import type { Fleet } from './fleet.js'
import type { FleetAgent } from './fleet-agent.js'

export async function leftoversOf({ server, torn, restores }: Fleet, agent: FleetAgent): Promise<Leftovers> {
  const { name, process: running, home, workRoot } = agent
  const { current_tasks: countedTasks } = await server.client.agents.get({ params: { agent_id: running.agentId } })
  const pids = [...(await processesIn(home)), ...(await processesIn(workRoot))].filter((pid) => pid !== agent.life.pid)
  const processes = await Promise.all(
    [...new Set(pids)].map(async (pid) => ((await standsBy(pid, agent)) ? [] : [pid])),
  )
  const status = await statusOf(agent)
  const isToldTorn = (attempt: string) => torn.has(attempt) && status?.alarms.some((one) => one.attempt === attempt)
  const forAPerson = status?.kept.for_a_person.filter(({ attempt }) => !isToldTorn(attempt)) ?? []
  // A restored server may not know an attempt, or not whether it was started: then its agent keeps what it has.
  const doubted = forAPerson.filter(({ why }) => restores.length > 0 && inDoubt.has(why))
  const unknown = doubted.filter(({ why }) => why === 'unknown_to_server')
  return {
    agent: name,
    attempts: [
      ...(status === undefined
        ? ['the agent does not answer']
        : status.attempts.map(({ task_id, attempt }) => `${task_id}-${attempt}`)),
      ...forAPerson.filter((one) => !doubted.includes(one)).map(({ attempt, why }) => `${attempt} (${why})`),
    ],
    unknown: await Promise.all(unknown.map(({ attempt, path }) => keptData(attempt, path))),
    claims: (await claimsOf(agent))
      .filter(({ attemptDir }) => !doubted.some(({ path }) => path === attemptDir))
      .map(({ name }) => name),
    processes: await Promise.all(processes.flat().map(commandLine)),
    listeningSockets: await listeningSockets(agent.life.pid),
    countedTasks,
    alarms: status?.alarms.filter(({ attempt }) => !isToldTorn(attempt)).map((one) => JSON.stringify(one)) ?? [],
  }
}

const inDoubt: ReadonlySet<string> = new Set(['unknown_to_server', 'started_elsewhere'])

/** Whether the agent is connected and has nothing in hand, resends too. */
export async function isQuiet(agent: FleetAgent): Promise<boolean> {
  const status = await statusOf(agent)
  return status?.control.phase === 'connected' && status.attempts.length === 0
}

interface Status {
  readonly control: { readonly phase: string }
  readonly attempts: readonly { readonly task_id: number; readonly attempt: number }[]
  readonly kept: {
    readonly for_a_person: readonly { readonly attempt: string; readonly why: string; readonly path: string }[]
  }
  readonly alarms: readonly { readonly attempt: string; readonly item: string; readonly code: string }[]
}

/** What the running daemon tells `iac-agent status`; undefined while it is not up. */
async function statusOf({ dataDir }: FleetAgent): Promise<Status | undefined> {
  const outgoing = request({ socketPath: join(dataDir, 'agent.sock'), path: '/status' }).end()
  const answer = await once(outgoing, 'response').then(([response]) => response as IncomingMessage, absent)
  return answer && ((await json(answer)) as Status)
}

async function keptData(attempt: string, path: string): Promise<KeptData> {
  const states = await namesIn(join(path, 'states'))
  const contents = await Promise.all(states.map((name) => readFile(join(path, 'states', name))))
  return {
    attempt,
    log: (await readFile(join(path, 'spool'), 'utf8').catch(absent)) ?? '',
    stateChecksums: contents.map((bytes) => createHash('sha256').update(bytes).digest('hex')),
  }
}

/** In the work root, which agents may share. An attempt in doubt keeps its own: whoever goes on with it finds the directory untouched. */
async function claimsOf({ home, workRoot }: FleetAgent): Promise<{ name: string; attemptDir: string }[]> {
  const names = (await namesIn(workRoot)).filter((entry) => entry.includes('.claim.'))
  const claims = await Promise.all(
    names.map(async (name) => {
      const holder = (await readlink(join(workRoot, name)).catch(absent)) ?? ''
      return { name, attemptDir: holder.slice(holder.indexOf(' ') + 1) }
    }),
  )
  return claims.filter(({ attemptDir }) => attemptDir.startsWith(`${home}/`))
}

/** A supervisor without a command yet, of this very agent process: it ends with it. */
async function standsBy(pid: number, { dataDir, life }: FleetAgent): Promise<boolean> {
  const cwd = await readlink(`/proc/${pid}/cwd`).catch(absent)
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(absent)
  const parent = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[1]
  return cwd === join(dataDir, 'standby') && parent === String(life.pid)
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
