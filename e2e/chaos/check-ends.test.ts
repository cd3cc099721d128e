import type { Task } from '@iac-agent/protocol'
import { expect, it } from 'vitest'
import { checkEnds } from './check-ends.js'
import type { Evidence, TaskEvidence } from './evidence.js'
import type { Struck } from './inject.js'
import {
  sampleApply,
  sampleEvidence,
  sampleHistory,
  samplePlan,
  sampleServerTask,
  sampleTask,
} from './sample-evidence.js'

const wrongs = (task: Partial<TaskEvidence>, more: Partial<Evidence> = {}) =>
  checkEnds(sampleEvidence({ tasks: [sampleTask(task)], ...more })).length
const ending = (changes: Partial<Task>, more: Partial<TaskEvidence> = {}): Partial<TaskEvidence> => ({
  task: sampleServerTask(changes),
  finals: [changes.status ?? 'applied'],
  ...more,
})
const failedApply = sampleApply({ ended: { at: 2_100, code: 1 } })
const asked = [{ sentAt: 1_000, force: false }]

it('are right when they say what happened', () => {
  expect(wrongs({})).toBe(0)
  const plan = sampleHistory({ confirms: [] })
  const finished = ending({ status: 'success', task_type: 'plan', attempt: 1 }, { runs: [samplePlan()], history: plan })
  expect(wrongs(finished)).toBe(0)
  expect(wrongs(ending({ status: 'planned_and_finished', attempt: 1 }, { runs: [samplePlan()] }))).toBe(0)
})

it('are wrong when there are two of them', () => {
  expect(wrongs({ finals: ['failed', 'applied'] })).toBe(1)
  expect(wrongs({ finals: ['applied', 'running'] })).toBe(1)
})

it('are wrong when an apply succeeded and the task did not', () => {
  const cancelled = ending({ status: 'cancelled' }, { history: sampleHistory({ cancels: asked }) })
  expect(wrongs(cancelled)).toBe(1)
  expect(wrongs(ending({ status: 'failed' }))).toBe(1)
})

it('are wrong when a task succeeded and its terraform did not', () => {
  expect(wrongs({ runs: [samplePlan(), failedApply] })).toBe(1)
  expect(wrongs({ runs: [samplePlan()] })).toBe(1)
  const failedPlan = samplePlan({ ended: { at: 1_100, code: 1 } })
  expect(wrongs(ending({ status: 'success', task_type: 'plan', attempt: 1 }, { runs: [failedPlan] }))).toBe(1)
  expect(wrongs(ending({ status: 'planned_and_finished' }, { runs: [samplePlan(), failedApply] }))).toBe(1)
})

it('are cancelled only when somebody asked', () => {
  const runs = [samplePlan(), failedApply]
  expect(wrongs(ending({ status: 'cancelled' }, { runs }))).toBe(1)
  expect(wrongs(ending({ status: 'cancelled' }, { runs, history: sampleHistory({ cancels: asked }) }))).toBe(0)
  expect(
    wrongs(ending({ status: 'cancelled' }, { runs: [samplePlan()], history: sampleHistory({ discards: asked }) })),
  ).toBe(0)
})

it('are failed only for a reason', () => {
  const failed = ending({ status: 'failed', error_code: 'apply_failed' }, { runs: [samplePlan(), failedApply] })
  expect(wrongs(failed)).toBe(1)
  const { workspace } = sampleHistory()
  const told = sampleHistory({ workspace: { ...workspace, module: { fake: { fail: 'apply' } } } })
  expect(wrongs({ ...failed, history: told })).toBe(0)
  const victim = { attempt: '7-2', run: 'apply-1', pid: 11 }
  expect(wrongs(failed, { struck: [{ victim, fault: { kind: 'terraform kill' } } as Struck] })).toBe(0)
  expect(wrongs(failed, { struck: [{ victim: { ...victim, attempt: '8-2' } } as Struck] })).toBe(1)
  const lost = ending({ status: 'failed', error_code: 'lost' }, { runs: [samplePlan(), failedApply] })
  expect(wrongs(lost)).toBe(1)
  expect(wrongs({ ...lost, history: sampleHistory({ declaredLost: asked }) })).toBe(0)
  const expired = (attempt: number) => ending({ status: 'failed', error_code: 'lease_expired', attempt }, { runs: [] })
  expect([wrongs(expired(2)), wrongs(expired(3)), wrongs(expired(1002)), wrongs(expired(1003))]).toEqual([1, 0, 1, 0])
})
