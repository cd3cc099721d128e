/** Agents: who registered, who is connected, what they last reported. */
import type { Insertable, Selectable, Updateable } from 'kysely'
import type { AgentsTable } from './schema/access.js'
import type { Reader, Tx } from './store.js'

export type AgentRow = Selectable<AgentsTable>

export async function findAgent(reader: Reader, agentId: string): Promise<AgentRow | undefined> {
  return reader.hot.one<AgentRow>('SELECT * FROM agents WHERE id = ?', agentId)
}

/** What a heartbeat asks of its agent, which is fewer columns than it has. */
export type AgentForHeartbeat = Pick<AgentRow, 'id' | 'pool_id' | 'secret_hash' | 'status' | 'plan_limit' | 'draining'>

export function agentForHeartbeat(reader: Reader, agentId: string): AgentForHeartbeat | undefined {
  return reader.hot.one(
    'SELECT id, pool_id, secret_hash, status, plan_limit, draining FROM agents WHERE id = ?',
    agentId,
  )
}

/** In the order of their ids, beginning after `after`. */
export async function listAgentRows(reader: Reader, after: string, limit: number): Promise<AgentRow[]> {
  return reader.db.selectFrom('agents').selectAll().where('id', '>', after).orderBy('id').limit(limit).execute()
}

/** What placement asks of an agent: with thousands of them the other columns cost more than the decision. */
export type AgentForPlacement = Pick<
  AgentRow,
  | 'id'
  | 'pool_id'
  | 'registered_at'
  | 'labels'
  | 'plan_limit'
  | 'work_root'
  | 'online'
  | 'draining'
  | 'status'
  | 'shortage'
>

export async function agentsForPlacement(reader: Reader): Promise<AgentForPlacement[]> {
  return reader.hot.all<AgentForPlacement>(
    'SELECT id, pool_id, registered_at, labels, plan_limit, work_root, online, draining, status, shortage FROM agents',
  )
}

export async function insertAgent(tx: Tx, row: Insertable<AgentsTable>): Promise<void> {
  await tx.db.insertInto('agents').values(row).execute()
}

/** Answers how many rows changed: 0 when the agent is not known (any more). */
export async function updateAgent(tx: Tx, agentId: string, patch: Updateable<AgentsTable>): Promise<number> {
  const result = await tx.db.updateTable('agents').set(patch).where('id', '=', agentId).executeTakeFirst()
  return Number(result.numUpdatedRows)
}

export async function deleteAgent(tx: Tx, agentId: string): Promise<number> {
  const result = await tx.db.deleteFrom('agents').where('id', '=', agentId).executeTakeFirst()
  return Number(result.numDeletedRows)
}

/** Makes the agent offline, unless a newer connection than `connectionId` speaks for it. */
export async function disconnectAgent(tx: Tx, agentId: string, connectionId: string): Promise<number> {
  return tx.hot.run(
    'UPDATE agents SET online = 0, connection_id = NULL WHERE id = ? AND connection_id = ?',
    agentId,
    connectionId,
  )
}

/** After a start of the server nobody is connected yet. */
export async function disconnectAllAgents(tx: Tx): Promise<number> {
  return tx.hot.run('UPDATE agents SET online = 0, connection_id = NULL WHERE online = 1')
}

/** What a heartbeat says; undefined is not said and leaves the column as it is. */
export interface HeartbeatFacts {
  readonly status: string | undefined
  readonly planRunning: number | undefined
  readonly planLimit: number | undefined
  readonly applyRunning: number | undefined
  /** JSON array of ids */
  readonly currentTasks: string | undefined
  readonly cpuUsage: number | undefined
  readonly memUsage: number | undefined
  readonly diskFreeBytes: number | undefined
  /** JSON; undefined is none */
  readonly shortage: string | undefined
  readonly clockSkewMs: number | undefined
}

export async function recordHeartbeat(tx: Tx, agentId: string, facts: HeartbeatFacts, now: number): Promise<number> {
  return tx.hot.run(
    `UPDATE agents SET last_heartbeat_at = ?, status = coalesce(?, status), plan_running = coalesce(?, plan_running),
       plan_limit = coalesce(?, plan_limit), apply_running = coalesce(?, apply_running), current_tasks = coalesce(?, current_tasks),
       cpu_usage = coalesce(?, cpu_usage), mem_usage = coalesce(?, mem_usage), disk_free_bytes = coalesce(?, disk_free_bytes),
       clock_skew_ms = coalesce(?, clock_skew_ms), shortage = ? WHERE id = ?`,
    now,
    facts.status ?? null,
    facts.planRunning ?? null,
    facts.planLimit ?? null,
    facts.applyRunning ?? null,
    facts.currentTasks ?? null,
    facts.cpuUsage ?? null,
    facts.memUsage ?? null,
    facts.diskFreeBytes ?? null,
    facts.clockSkewMs ?? null,
    facts.shortage ?? null,
    agentId,
  )
}
