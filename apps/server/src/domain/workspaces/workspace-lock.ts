/** The lock on a workspace, an operator's or the one a lost apply leaves: while it is there, no task of the workspace starts. */
import { ApiError, type Workspace } from '@iac-agent/protocol'
import type { Clock } from '@iac-agent/runtime'
import { findStateWriter } from '../../store/state-rows.js'
import type { Store, Tx } from '../../store/store.js'
import { updateWorkspace } from '../../store/workspace-rows.js'
import { requireWorkspace } from './require-workspace.js'
import { workspaceView } from './workspace-view.js'

interface Deps {
  store: Store
  clock: Clock
}

/** A task that runs already goes on. @throws ApiError `workspace_locked` when somebody locked it before */
export function lockWorkspace(
  deps: Deps,
  input: { id: string; by: string; reason?: string | undefined },
): Promise<Workspace> {
  const now = deps.clock.now()
  return deps.store.transaction('lock_workspace', async (tx) => {
    const { id, lock_owner: owner } = await requireWorkspace(tx, input.id)
    if (owner !== null)
      throw new ApiError('workspace_locked', `workspace ${id} is locked by ${owner} already`, { owner })
    await updateWorkspace(tx, id, { lock_owner: input.by, lock_reason: input.reason ?? '', locked_at: now })
    return changed(tx, id)
  })
}

/** Anybody's lock; without one it is the same. @throws ApiError `workspace_locked` while an attempt can write state */
export function unlockWorkspace(deps: Deps, input: { id: string }): Promise<Workspace> {
  return deps.store.transaction('unlock_workspace', async (tx) => {
    const { id } = await requireWorkspace(tx, input.id)
    const writer = await findStateWriter(tx, id)
    if (writer !== undefined)
      throw new ApiError('workspace_locked', `task ${writer} can still write the state of workspace ${id}`, {
        task_id: writer,
      })
    await updateWorkspace(tx, id, { lock_owner: null, lock_reason: null, locked_at: null })
    return changed(tx, id)
  })
}

/** Takes the place of a lock that was there, and names it: the workspace's state may not be what the world is. */
export async function lockForLostApply(
  tx: Tx,
  { workspaceId, taskId, now, reason }: { workspaceId: string; taskId: number; now: number; reason: string },
): Promise<void> {
  const before = await requireWorkspace(tx, workspaceId)
  const former =
    before.lock_owner === null ? '' : `; locked by ${before.lock_owner} before: ${before.lock_reason ?? ''}`
  const lock = { lock_owner: `lost_apply:${taskId}`, lock_reason: reason + former, locked_at: now }
  await updateWorkspace(tx, workspaceId, lock)
  tx.changed({ kind: 'workspace', workspaceId })
}

async function changed(tx: Tx, workspaceId: string): Promise<Workspace> {
  tx.changed({ kind: 'workspace', workspaceId })
  return workspaceView(await requireWorkspace(tx, workspaceId))
}
