/** What `iac-agent status` shows. */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { describeShortage, type Shortage } from '@iac-agent/protocol'
import type { AgentConfig } from '../config/config.js'
import type { AgentIdentity } from '../config/identity.js'
import { all } from '../journal/attempt-facts.js'
import { readJournal } from '../journal/journal.js'
import { type AttemptLayout, attemptLayoutAt, type DataLayout, isWorkDirectory } from '../journal/layout.js'
import type { Attempts } from './attempts.js'
import type { DaemonState } from './daemon-state.js'
import { freeBytes } from './free-bytes.js'
import type { ServerLink } from './server-link.js'

export interface StatusParts {
  config: AgentConfig
  identity: AgentIdentity
  version: string
  data: DataLayout
  state: DaemonState
  attempts: Attempts
  guard: { readonly shortage: Shortage | undefined }
  link: ServerLink
}

export async function statusReport({ config, identity, version, data, state, attempts, guard, link }: StatusParts) {
  const { planRunning, applyRunning } = attempts.load()
  const running = attempts.waitingFor()
  const names = new Set(running.map(({ task_id, attempt }) => `${task_id}-${attempt}`))
  return {
    agent_id: identity.agentId,
    name: config.name,
    version,
    pid: process.pid,
    phase: state.phase,
    takes_work: state.takesWork && guard.shortage === undefined,
    /** Why no work is taken although it could be; null when there is room. */
    degraded: guard.shortage === undefined ? null : describeShortage(guard.shortage),
    server_url: config.serverUrl.href,
    control: link.control,
    plan_running: planRunning,
    plan_limit: config.planLimit,
    apply_running: applyRunning > 0,
    attempts: running,
    /** Attempt directories kept after their end, because the server refused something; removed after a day. */
    kept_attempts: (await readdir(data.attempts)).filter((name) => !names.has(name)),
    /** What the server refused for good, or what is lost: the data is in the attempt's quarantine, for a person. */
    alarms: await alarmsIn(data),
    disk_free_bytes: freeBytes(data.root),
    data_dir: data.root,
    work_root: config.workRoot,
    /** Work directories of workspaces, with what init left in them. */
    work_directories: await workspacesIn(config.workRoot),
  }
}

interface Alarm {
  readonly attempt: string
  readonly item: string
  readonly code: string
  readonly message: string
  /** where the data is kept for a person */
  readonly kept: string
}

async function alarmsIn(data: DataLayout): Promise<Alarm[]> {
  const names = await readdir(data.attempts)
  return (await Promise.all(names.map((name) => alarmsOf(name, attemptLayoutAt(join(data.attempts, name)))))).flat()
}

async function alarmsOf(attempt: string, { root, journal, quarantine }: AttemptLayout): Promise<Alarm[]> {
  try {
    const refused = all(await readJournal(journal), 'refused')
    return refused.map(({ item, code, message }) => ({ attempt, item, code, message, kept: quarantine }))
  } catch (error) {
    // status is asked for just when something is wrong: it says so and goes on
    return [{ attempt, item: 'journal', code: 'unreadable', message: (error as Error).message, kept: root }]
  }
}

async function workspacesIn(workRoot: string): Promise<string[]> {
  try {
    return (await readdir(workRoot)).filter(isWorkDirectory)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw cause
  }
}
