/** At rest nothing is left: no process, claim, directory, port, counted task or lock; and all that was acknowledged is there. */
import type { Breach, Evidence } from './evidence.js'
import type { Asked } from './history.js'
import { isForgotten } from './restores.js'

export function checkLeftovers({ leftovers, workspaces }: Evidence): Breach[] {
  const orphans = leftovers.flatMap(({ agent, ...left }) => {
    const found = [
      ...left.attempts.map((name) => `attempt directory ${name}`),
      ...left.claims.map((name) => `claim ${name}`),
      ...left.processes.map((line) => `process ${line}`),
      ...(left.listeningSockets > 0 ? [`${left.listeningSockets} listening sockets`] : []),
      ...left.countedTasks.map((id) => `task ${id} counted as running`),
      ...left.alarms.map((text) => `alarm ${text}`),
    ]
    return found.map((what): Breach => ({ kind: 'orphans', size: 1, what: `${agent}: ${what} is left` }))
  })
  const locked = workspaces.flatMap(({ planned, lock }): Breach[] => {
    if (lock === null) return []
    return [{ kind: 'locked workspaces', size: 1, what: `${planned.name} is locked: ${lock.reason} (${lock.owner})` }]
  })
  return [...orphans, ...locked]
}

export function checkAcknowledged({ tasks, workspaces, restores }: Evidence): Breach[] {
  const lost = (what: string): Breach => ({ kind: 'lost acknowledged', size: 1, what })
  const breaches = tasks.flatMap(({ history, task, fate }) => {
    const { plan, id, created, confirms, cancels } = history
    if (created?.acknowledgedAt === undefined) return []
    if (fate === 'gone') return []
    if (task === undefined) return [lost(`task ${id} (${plan.key}) was acknowledged and is not there`)]
    const found: Breach[] = []
    const isAcknowledged = ({ acknowledgedAt }: Asked) =>
      acknowledgedAt !== undefined && !isForgotten(acknowledgedAt, restores)
    // A restore takes back what was confirmed and not begun.
    if (fate === 'steady' && confirms.some(isAcknowledged) && task.confirmed_at === null)
      found.push(lost(`the confirmation of task ${id}`))
    if (cancels.some(isAcknowledged) && task.cancel === null) found.push(lost(`the cancel of task ${id}`))
    return found
  })
  const doubled = workspaces.flatMap(({ planned, tasks: count }) => {
    const queued = tasks.filter(
      ({ history, fate }) => history.workspace.name === planned.name && fate !== 'gone',
    ).length
    return count === queued ? [] : [lost(`${planned.name} has ${count} tasks, ${queued} were acknowledged`)]
  })
  return [...breaches, ...doubled]
}
