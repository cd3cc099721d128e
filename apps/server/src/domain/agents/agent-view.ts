/** An agent as the APIs answer it: the operator's view, and the seed's cc-status. */
import { type Agent, ApiError, type CcStatus, limits } from '@iac-agent/protocol'
import { type AgentRow, findAgent, listAgentRows } from '../../store/agent-rows.js'
import type { Store } from '../../store/store.js'
import { rfc3339, rfc3339OrNull } from '../rfc3339.js'
import { isSeedOnly, shortageOf } from './agent-status.js'

export function listAgents(
  deps: { store: Store },
  input: { cursor?: string | undefined; limit?: number | undefined },
): Promise<{ items: Agent[]; next_cursor: string | null }> {
  const limit = input.limit ?? limits.pageItems
  return deps.store.read(async (reader) => {
    const rows = await listAgentRows(reader, input.cursor ?? '', limit + 1)
    const page = rows.slice(0, limit)
    return { items: page.map(agentView), next_cursor: rows.length > limit ? (page.at(-1)?.id ?? null) : null }
  })
}

/** @throws ApiError `not_found` */
export async function getAgent(deps: { store: Store }, input: { agentId: string }): Promise<Agent> {
  return agentView(await requireAgent(deps, input))
}

/**
 * @param input.poolId of the asking agent's key; undefined for an operator
 * @throws ApiError `not_found`; `forbidden` for another pool's agent
 */
export async function ccStatus(
  deps: { store: Store },
  input: { agentId: string; poolId?: string | undefined },
): Promise<CcStatus> {
  const row = await requireAgent(deps, input)
  return {
    agent_id: row.id,
    connected: row.online === 1,
    status: row.online === 1 ? 'online' : 'offline',
    last_heartbeat_at: rfc3339OrNull(row.last_heartbeat_at),
    plan_running: row.plan_running,
    plan_limit: row.plan_limit,
    apply_running: row.apply_running > 0,
    current_tasks: JSON.parse(row.current_tasks) as number[],
    cpu_usage: row.cpu_usage,
    mem_usage: row.mem_usage,
  }
}

async function requireAgent(
  deps: { store: Store },
  input: { agentId: string; poolId?: string | undefined },
): Promise<AgentRow> {
  const row = await deps.store.read((reader) => findAgent(reader, input.agentId))
  if (row === undefined) throw new ApiError('not_found', `agent ${input.agentId} does not exist`)
  if (input.poolId !== undefined && input.poolId !== row.pool_id) {
    throw new ApiError('forbidden', `agent ${input.agentId} belongs to another pool`)
  }
  return row
}

function agentView(row: AgentRow): Agent {
  return {
    id: row.id,
    name: row.name,
    pool_id: row.pool_id,
    status: row.online === 1 ? 'online' : 'offline',
    state: row.last_heartbeat_at === null ? null : row.status,
    draining: row.draining === 1,
    registered: !isSeedOnly(row),
    version: row.version,
    labels: JSON.parse(row.labels) as Record<string, string>,
    plan_limit: row.plan_limit,
    plan_running: row.plan_running,
    apply_running: row.apply_running > 0,
    current_tasks: JSON.parse(row.current_tasks) as number[],
    cpu_usage: row.cpu_usage,
    mem_usage: row.mem_usage,
    disk_free_bytes: row.disk_free_bytes,
    shortage: shortageOf(row),
    work_root: row.work_root,
    last_heartbeat_at: rfc3339OrNull(row.last_heartbeat_at),
    clock_skew_ms: row.clock_skew_ms,
    created_at: rfc3339(row.created_at),
  }
}
