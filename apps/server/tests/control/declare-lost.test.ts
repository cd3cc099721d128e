import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { heartbeat } from '../../src/domain/agents/heartbeat.js'
import { startApply } from '../../src/domain/attempts/start-apply.js'
import { receiveRawState } from '../../src/domain/states/receive-state.js'
import { saveTaskState } from '../../src/domain/states/save-task-state.js'
import { declareLost } from '../../src/domain/tasks/declare-lost.js'
import { reportStatus } from '../../src/domain/tasks/report-status.js'
import { lockWorkspace, unlockWorkspace } from '../../src/domain/workspaces/workspace-lock.js'
import { runningApply, runningPlan } from './running-attempts.js'
import { type TaskWorld, taskWorld } from './task-world.js'

/** An apply whose lease is over: nobody hears of its agent. */
async function unreachableApply(world: TaskWorld): Promise<number> {
  const taskId = await runningApply(world)
  await world.passFor(61_000)
  expect((await world.task(taskId)).unreachable_since).not.toBeNull()
  return taskId
}

const lost = (world: TaskWorld, taskId: number, agentName = 'a') =>
  declareLost(world, { taskId, by: 'olga', agentName })

describe('declaring an apply lost', () => {
  it('fails the task as lost and keeps its workspace locked until a person unlocks it', async () => {
    await using world = await taskWorld()
    const taskId = await unreachableApply(world)
    const next = await world.create('plan')
    expect(await lost(world, taskId)).toMatchObject({ status: 'failed', error_code: 'lost', unreachable_since: null })
    expect(await world.attempt(taskId, 2)).toMatchObject({ state: 'final', outcome: 'lost', final_status: null })
    await world.connect('b')
    await world.passFor(5_000)
    expect((await world.task(next)).pending_reason).toMatchObject({
      code: 'workspace_locked',
      details: { locked_by: `lost_apply:${taskId}` },
    })
    expect(await unlockWorkspace(world, { id: world.workspace.id })).toMatchObject({ lock: null })
    await world.reconciler.pass()
    expect(world.link.runs.at(-1)).toMatchObject({ taskId: next })
  })

  it('is the same when it is said again', async () => {
    await using world = await taskWorld()
    const taskId = await unreachableApply(world)
    const first = await lost(world, taskId)
    await unlockWorkspace(world, { id: world.workspace.id })
    expect(await lost(world, taskId)).toEqual(first)
    expect(await unlockWorkspace(world, { id: world.workspace.id })).toMatchObject({ lock: null })
  })

  it('is refused while its agent is heard, for a plan, and after another end', async () => {
    await using world = await taskWorld()
    const taskId = await runningApply(world)
    await expect(lost(world, taskId)).rejects.toMatchObject({ code: 'illegal_transition' })
    await reportStatus(world, { caller: await world.caller(taskId, 2), taskId, report: { status: 'success' } })
    await expect(lost(world, taskId)).rejects.toMatchObject({ code: 'illegal_transition' })
    const plan = await runningPlan(world)
    await expect(lost(world, plan)).rejects.toMatchObject({ code: 'illegal_transition' })
    await expect(lost(world, 999)).rejects.toMatchObject({ code: 'not_found' })
  })

  it('is refused under the name of another agent, and changes nothing then', async () => {
    await using world = await taskWorld()
    const taskId = await unreachableApply(world)
    await expect(lost(world, taskId, 'b')).rejects.toMatchObject({
      code: 'invalid_request',
      details: { field: 'agent_name' },
    })
    expect((await world.task(taskId)).status).toBe('running')
  })

  it('tells the agent to forget it, and takes its state as rescued and its status and start as stale', async () => {
    await using world = await taskWorld()
    const taskId = await unreachableApply(world)
    const caller = await world.caller(taskId, 2)
    await lost(world, taskId)
    const said = await heartbeat(world, { agentId: 'a', beat: { current_tasks: [{ task_id: taskId, attempt: 2 }] } })
    expect(said?.desired).toEqual([{ task_id: taskId, attempt: 2, want: 'forget' }])
    const state = `{"version":4,"serial":3,"lineage":"${world.workspace.lineage}","outputs":{},"resources":[]}`
    const draft = await receiveRawState(world, Readable.from([Buffer.from(state)]), undefined)
    expect(await saveTaskState(world, { caller, taskId, draft })).toMatchObject({ late: true, rescued: true })
    const stale = { code: 'stale_lease' }
    await expect(reportStatus(world, { caller, taskId, report: { status: 'success' } })).rejects.toMatchObject(stale)
    await expect(startApply(world, { caller, taskId, startId: 's' })).rejects.toMatchObject(stale)
    expect(await world.task(taskId)).toMatchObject({ status: 'failed', error_code: 'lost', unreachable_since: null })
  })

  it('names the lock whose place it takes', async () => {
    await using world = await taskWorld()
    const taskId = await unreachableApply(world)
    await lockWorkspace(world, { id: world.workspace.id, by: 'eve', reason: 'audit' })
    await lost(world, taskId)
    expect(await unlockReason(world)).toMatch(/declared lost.*locked by eve before: audit/)
  })
})

async function unlockReason(world: TaskWorld): Promise<string | null | undefined> {
  const rows = await world.store.read((reader) => reader.db.selectFrom('workspaces').select('lock_reason').execute())
  return rows[0]?.lock_reason
}
