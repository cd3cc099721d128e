import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import type { AgentCaller } from '../../src/domain/attempts/agent-caller.js'
import { importState } from '../../src/domain/states/import-state.js'
import { promoteState } from '../../src/domain/states/promote-state.js'
import { receiveRawState } from '../../src/domain/states/receive-state.js'
import { saveTaskState } from '../../src/domain/states/save-task-state.js'
import { currentStateContent, listStates } from '../../src/domain/states/state-view.js'
import { type RunningTask, runningTask, workspaceId, workspaceLineage } from './running-task.js'

const stateText = (serial: number, more = '', lineage = workspaceLineage) =>
  `{\n  "version": 4,\n  "serial": ${serial},\n  "lineage": "${lineage}",\n  "outputs": {}, "resources": []${more}\n}\n`

const draftOf = (task: RunningTask, text: string) =>
  receiveRawState(task.deps, Readable.from([Buffer.from(text)]), undefined)

async function post(task: RunningTask, caller: AgentCaller, text: string) {
  return saveTaskState(task.deps, { caller, taskId: task.taskId, draft: await draftOf(task, text) })
}

async function versions(task: RunningTask) {
  return (await listStates(task.deps, { workspaceId, limit: 20 })).items
}

async function idOf(task: RunningTask, version: number): Promise<string> {
  return (await versions(task)).find((one) => one.version === version)?.id ?? 'none'
}

async function promote(task: RunningTask, version: number) {
  return promoteState(task.deps, { workspaceId, versionId: await idOf(task, version), by: 'ops' })
}

async function currentBytes(task: RunningTask): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of (await currentStateContent(task.deps, workspaceId)).bytes) parts.push(part)
  return Buffer.concat(parts).toString()
}

/** Version 1 is current with serial 3; version 2 was rescued from a stale writer with serial 7. */
async function withRescued(more = ', "big": 12345678901234567890'): Promise<RunningTask> {
  const task = await runningTask()
  const stale = await task.offer('apply')
  await post(task, stale, stateText(3))
  await task.end()
  await post(task, stale, stateText(7, more))
  return task
}

describe('promoting a version', () => {
  it("makes it current under the lineage's highest serial + 1, in row and bytes alike", async () => {
    await using task = await withRescued()
    await promote(task, 2)
    const promoted = await promote(task, 1)
    const bytes = stateText(9)
    expect(promoted).toMatchObject({ version: 4, serial: 9, lineage: workspaceLineage, rescued: 0, created_by: 'ops' })
    expect(promoted.sha256).toBe(createHash('sha256').update(bytes).digest('hex'))
    expect(await currentBytes(task)).toBe(bytes)
  })

  it('leaves the old version as it was, and every byte but the serial', async () => {
    await using task = await withRescued()
    const before = (await versions(task)).find(({ version }) => version === 2)
    await promote(task, 2)
    expect(await currentBytes(task)).toBe(stateText(8, ', "big": 12345678901234567890'))
    const all = await versions(task)
    expect(all.find(({ version }) => version === 2)).toEqual(before)
    expect(all[0]).toMatchObject({ version: 3, current: true, rescued: false, promoted_from: before?.id })
  })

  it('lets the next apply write on top of it', async () => {
    await using task = await withRescued()
    await promote(task, 2)
    const next = await task.offer('apply')
    expect(await post(task, next, stateText(9))).toEqual({ message: 'state saved successfully', version: 4 })
    expect(await currentBytes(task)).toBe(stateText(9))
  })

  it('is the same version when it is said again, and of what is current already', async () => {
    await using task = await withRescued()
    const first = await promote(task, 2)
    expect(await promote(task, 2)).toEqual(first)
    expect(await promote(task, 3)).toEqual(first)
    expect(await versions(task)).toHaveLength(3)
  })

  it('takes a large state through in parts', async () => {
    const pad = `, "pad": "${'x'.repeat(3_000_000)}"`
    await using task = await withRescued(pad)
    await promote(task, 2)
    expect((await currentBytes(task)) === stateText(8, pad)).toBe(true)
  })

  it('happens once when two do it at the same time', async () => {
    await using task = await withRescued()
    const [one, other] = await Promise.all([promote(task, 2), promote(task, 2)])
    expect(one).toEqual(other)
    expect(await versions(task)).toHaveLength(3)
  })

  it('is refused while an apply can still write', async () => {
    await using task = await withRescued()
    await task.offer('apply')
    await expect(promote(task, 2)).rejects.toMatchObject({
      code: 'workspace_locked',
      details: { task_id: task.taskId },
    })
    expect(await currentBytes(task)).toBe(stateText(3))
  })

  it("does not know another workspace's version", async () => {
    await using task = await withRescued()
    const versionId = await idOf(task, 2)
    for (const input of [
      { workspaceId: 'ws-other', versionId },
      { workspaceId, versionId: '999' },
      { workspaceId, versionId: 'x' },
    ]) {
      await expect(promoteState(task.deps, { ...input, by: 'ops' })).rejects.toMatchObject({ code: 'not_found' })
    }
  })

  it('refuses a state of another lineage than the current one', async () => {
    await using task = await runningTask()
    const stale = await task.offer('apply')
    await task.end()
    await post(task, stale, stateText(7, '', 'elsewhere'))
    await importState(task.deps, { workspaceId, by: 'ops', draft: await draftOf(task, stateText(1)) })
    await expect(promote(task, 1)).rejects.toMatchObject({ code: 'state_conflict' })
  })
})
