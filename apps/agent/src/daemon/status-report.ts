/** What `iac-agent status` shows. */

import { describeShortage, type Shortage } from '@iac-agent/protocol'
import type { AgentConfig } from '../config/config.js'
import type { AgentIdentity } from '../config/identity.js'
import { type DataLayout, isWorkDirectory } from '../journal/layout.js'
import { namesIn } from '../journal/names-in.js'
import type { Attempts } from './attempts.js'
import type { DaemonState } from './daemon-state.js'
import { freeBytes } from './free-bytes.js'
import { type KeptAttempts, refusals } from './kept-attempts.js'
import type { ServerLink } from './server-link.js'

export interface StatusParts {
  config: AgentConfig
  identity: AgentIdentity
  version: string
  data: DataLayout
  state: DaemonState
  attempts: Attempts
  kept: KeptAttempts
  guard: { readonly shortage: Shortage | undefined }
  link: ServerLink
}

export async function statusReport({
  config,
  identity,
  version,
  data,
  state,
  attempts,
  kept,
  guard,
  link,
}: StatusParts) {
  const { planRunning, applyRunning } = attempts.load()
  const running = attempts.waitingFor()
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
    /** Attempt directories kept after their end (`--keep-attempts`), and why those that are not just acknowledged. */
    kept: keptIn(kept),
    /** What the server refused for good, or what is lost: the data is in the attempt's quarantine, for a person. */
    alarms: alarmsOf(kept, attempts),
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

function alarmsOf(kept: KeptAttempts, attempts: Attempts): Alarm[] {
  const over = kept.list().filter(({ why }) => why === 'refused')
  const here = [
    ...over.map(({ name, facts, layout }) => ({ attempt: name, facts, quarantine: layout.quarantine })),
    ...attempts.refusals(),
  ]
  return [
    ...here.flatMap(({ attempt, facts, quarantine }) =>
      refusals(facts).map((refusal) => ({ attempt, ...refusal, kept: quarantine })),
    ),
    ...kept
      .list()
      .filter(({ why }) => why === 'unreadable')
      .map(({ name, layout }) => ({
        attempt: name,
        item: 'journal',
        code: 'unreadable',
        message: 'its journal cannot be read',
        kept: layout.root,
      })),
  ]
}

/** Everything that is kept, in short; what waits for a person, one by one. */
function keptIn(kept: KeptAttempts) {
  const all = kept.list()
  const oldest = all.find(({ since }) => since > 0)
  return {
    count: all.length,
    bytes: all.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    oldest_at: oldest === undefined ? null : new Date(oldest.since).toISOString(),
    for_a_person: all
      .filter(({ why }) => why !== 'acknowledged')
      .map(({ name, why, layout }) => ({ attempt: name, why, path: layout.root })),
  }
}

async function workspacesIn(workRoot: string): Promise<string[]> {
  return (await namesIn(workRoot)).filter(isWorkDirectory)
}
