/**
 * An attempt that was made after the backup this store was restored from: its row is gone, its agent still holds it. The lease proves
 * that it was ours, so its data is taken as late data; what an apply did then, a person has to look at.
 */
import type { Phase } from '@iac-agent/protocol'
import { type AttemptRow, insertEndedAttempt } from '../../store/attempt-rows.js'
import type { FencedTask } from '../../store/fence-rows.js'
import { findLeaseKey } from '../../store/lease-key.js'
import type { Reader, Tx } from '../../store/store.js'
import { storeEpoch } from '../../store/store-epoch.js'
import { lockForLostApply } from '../workspaces/workspace-lock.js'
import type { AgentCaller } from './agent-caller.js'
import { isLeaseOf, leaseSalt } from './lease-token.js'

const phases: readonly Phase[] = ['plan', 'apply']

/** The row the attempt would have, ended; undefined when the lease is not one that this store gave for this very task. */
export async function lostAttempt(
  reader: Reader,
  caller: AgentCaller,
  task: FencedTask,
  number: number,
): Promise<AttemptRow | undefined> {
  const key = findLeaseKey(reader)
  const { agentId, lease } = caller
  if (key === undefined || agentId === undefined || lease === undefined || task.pool_id !== caller.poolId)
    return undefined
  if ((await storeEpoch(reader)) === 1) return undefined
  const rows = phases.map((phase) => rowOf(key, { task, number, phase, agentId }))
  return rows.find((row) => isLeaseOf(row, lease))
}

/** Stores the row as ended. An apply locks its workspace, once: its changes are not in the state that was restored. */
export async function takeUpLost(tx: Tx, task: FencedTask, lost: AttemptRow, now: number): Promise<AttemptRow> {
  // accepted, and so the newest of its phase: its log is what people see
  const row = { ...lost, offered_at: now, accepted_at: now, ended_at: now }
  await insertEndedAttempt(tx, row)
  if (row.phase === 'apply') {
    await lockForLostApply(tx, {
      workspaceId: task.workspace_id,
      taskId: task.id,
      now,
      reason: `attempt ${row.number} of task ${task.id} applied after the backup that was restored: promote its rescued state, or compare the state with what exists, then unlock`,
    })
  }
  tx.changed({ kind: 'task', taskId: task.id })
  return row
}

function rowOf(
  key: string,
  { task, number, phase, agentId }: { task: FencedTask; number: number; phase: Phase; agentId: string },
): AttemptRow {
  const { id: taskId, created_at: taskCreatedAt, workspace_id: workspaceId } = task
  return {
    task_id: taskId,
    number,
    phase,
    agent_id: agentId,
    seed_only: 0,
    state: 'final',
    outcome: 'after_backup',
    reject_reason: null,
    offered_at: 0,
    accepted_at: null,
    ended_at: null,
    lease_salt: leaseSalt(key, { taskId, taskCreatedAt, workspaceId, number, phase, agentId }),
    lease_ttl_ms: 0,
    lease_expires_at: 0,
    start_id: null,
    start_at: null,
    work_root: null,
    base_state_version: null,
    final_status: null,
    hint_at: null,
    hint_error: null,
    cancel_rung: null,
    cancel_rung_at: null,
    peak_rss_bytes: null,
    cpu_ms: null,
  }
}
