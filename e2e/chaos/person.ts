/** What a person does after a restore, once every agent has come back: reads what the server says of each task and workspace, and acts. */
import { isFinal, type Task, type Workspace } from '@iac-agent/protocol'
import { ask } from './ask.js'
import type { Fleet } from './fleet.js'
import type { Asked, TaskHistory } from './history.js'
import { isForgotten } from './restores.js'

/** One walk over all tasks and workspaces; what it does not settle, the next one does. */
export async function settle(fleet: Fleet, histories: readonly TaskHistory[]): Promise<void> {
  const { client } = fleet.server
  for (const id of new Set(histories.map(({ workspaceId }) => workspaceId))) {
    await settleWorkspace(fleet, await client.workspaces.get({ params: { id } }))
  }
  await cancelAgain(fleet, histories)
  for (const { history, task } of await openTasks(fleet, histories)) await settleTask(fleet, history, task)
}

/** Cancels what was cancelled before, when the restore made the server forget it. */
export async function cancelAgain(fleet: Fleet, histories: readonly TaskHistory[]): Promise<void> {
  for (const { history, task } of await openTasks(fleet, histories)) {
    const { cancels } = history
    const forgotten = cancels.find(({ acknowledgedAt = 0 }) => isForgotten(acknowledgedAt, fleet.restores))
    if (forgotten === undefined || task.cancel !== null) continue
    const said = { sentAt: Date.now(), force: forgotten.force }
    cancels.push(said)
    await ask(said, () =>
      fleet.server.client.tasks.cancel({ params: { id: task.id }, body: { force: forgotten.force } }),
    )
  }
}

async function openTasks(fleet: Fleet, histories: readonly TaskHistory[]) {
  const { items } = await fleet.server.client.tasks.list({ query: { limit: 200 } })
  return items.flatMap((task) => {
    const history = histories.find(({ plan }) => plan.key === task.description)
    return history === undefined || isFinal(task.status) ? [] : [{ history, task }]
  })
}

async function settleTask(fleet: Fleet, history: TaskHistory, task: Task): Promise<void> {
  const { tasks, agents } = fleet.server.client
  const { confirms, discards, declaredLost } = history
  const params = { id: task.id }
  const said: Asked = { sentAt: Date.now() }
  if (task.status === 'apply_pending' && task.confirmed_at === null) {
    // Also with auto_apply: what was planned before the restore is confirmed by a person.
    const isWanted = history.workspace.autoApply || history.plan.answer === 'confirm'
    if (isWanted) {
      confirms.push(said)
      await ask(said, () => tasks.confirm({ params }))
    }
    if (!isWanted || said.refused === 'plan_stale') {
      const discarded = { sentAt: Date.now() }
      discards.push(discarded)
      await ask(discarded, () => tasks.discard({ params }))
    }
  } else if (task.status === 'running' && task.unreachable_since !== null && task.agent_id !== null) {
    const { name } = await agents.get({ params: { agent_id: task.agent_id } })
    declaredLost.push(said)
    await ask(said, () => tasks.declareLost({ params, body: { agent_name: name } }))
  }
}

/** An apply that the server did not know of may have changed things: its state counts, when it is the newest. */
async function settleWorkspace(fleet: Fleet, { id, lock }: Workspace): Promise<void> {
  if (lock === null || !lock.owner.startsWith('lost_apply:')) return
  const { states, workspaces } = fleet.server.client
  const { items } = await states.list({ params: { id }, query: { limit: 200 } })
  const serial = items.find(({ current }) => current)?.serial ?? 0
  const newest = items.filter(({ rescued }) => rescued).sort((one, other) => (other.serial ?? 0) - (one.serial ?? 0))[0]
  if (newest !== undefined && (newest.serial ?? 0) > serial) {
    await ask({ sentAt: Date.now() }, () => states.promote({ params: { id, version_id: newest.id } }))
  }
  await ask({ sentAt: Date.now() }, () => workspaces.unlock({ params: { id } }))
}
