/** What `iac-agent status` shows. */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { AgentConfig } from '../config/config.js'
import type { AgentIdentity } from '../config/identity.js'
import { all } from '../journal/attempt-facts.js'
import { readJournal } from '../journal/journal.js'
import { attemptLayoutAt, type DataLayout } from '../journal/layout.js'
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
  guard: { readonly shortage: string | undefined }
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
    degraded: guard.shortage ?? null,
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

async function alarmsIn(data: DataLayout) {
  const found = []
  for (const name of await readdir(data.attempts)) {
    const layout = attemptLayoutAt(join(data.attempts, name))
    for (const { item, code, message } of all(await readJournal(layout.journal), 'refused')) {
      found.push({ attempt: name, item, code, message, kept: layout.quarantine })
    }
  }
  return found
}

async function workspacesIn(workRoot: string): Promise<string[]> {
  try {
    return (await readdir(workRoot)).filter((name) => !name.endsWith('.claim'))
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw cause
  }
}
