/** How many there are of what: for /metrics. */
import type { Reader } from './store.js'

/** Of tasks, by status. */
export async function countTasks(reader: Reader): Promise<{ status: string; count: number }[]> {
  return reader.hot.all('SELECT status, COUNT(*) AS count FROM workspace_tasks GROUP BY status')
}

/** Running tasks whose lease ended. */
export async function countUnreachable(reader: Reader): Promise<number> {
  const row = reader.hot.one<{ count: number }>(
    'SELECT COUNT(*) AS count FROM workspace_tasks WHERE unreachable_since IS NOT NULL',
  )
  return row?.count ?? 0
}

export async function countAgents(reader: Reader): Promise<{ online: number; offline: number }> {
  const row = reader.hot.one<{ online: number; total: number }>(
    'SELECT COALESCE(SUM(online), 0) AS online, COUNT(*) AS total FROM agents',
  )
  const { online = 0, total = 0 } = row ?? {}
  return { online, offline: total - online }
}
