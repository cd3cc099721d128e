/** A workspace's standing confirmation, recorded like a person's. */
import { findHold } from '../../store/hold-rows.js'
import type { Tx } from '../../store/store.js'
import { lastRestoredTask } from '../../store/store-epoch.js'
import { findSnapshot } from '../../store/task-rows.js'
import { recordConfirmation, requireTask } from './confirm-task.js'
import { moveTask } from './move-task.js'
import { planStaleness } from './plan-base.js'
import { parseSnapshot } from './task-snapshot.js'

/** The name such a confirmation is recorded under. */
const autoApplyName = 'auto_apply'

/**
 * Confirms when the workspace wanted it as the task was made and still does; a stale plan fails the task. A task made before the
 * store was restored may have been applied after its backup: it waits for a person.
 */
export async function autoApply(tx: Tx, taskId: number, now: number): Promise<void> {
  const task = await requireTask(tx, taskId)
  if (task.id <= (await lastRestoredTask(tx))) return
  const isStillWanted = (await findHold(tx, task.workspace_id))?.auto_apply === 1
  if (!isStillWanted || !parseSnapshot(await findSnapshot(tx, taskId), taskId).workspace.auto_apply) return
  const error_message = (await planStaleness(tx, task))?.message
  if (error_message === undefined) return recordConfirmation(tx, task, autoApplyName, now)
  await moveTask(tx, task, 'plan', { kind: 'failed' }, now, { error_code: 'plan_stale', error_message })
}
