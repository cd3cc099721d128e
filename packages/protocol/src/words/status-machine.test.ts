import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { eventOfReport, nextStatus, type TaskEvent, type TaskPosition } from './status-machine.js'
import { isFinal, type Phase, type TaskStatus, type TaskType } from './task-words.js'

const statuses: TaskStatus[] = [
  'pending',
  'running',
  'apply_pending',
  'success',
  'planned_and_finished',
  'applied',
  'failed',
  'cancelled',
]
const position = fc.record<TaskPosition>({
  taskType: fc.constantFrom<TaskType>('plan', 'plan_and_apply', 'destroy', 'drift_check'),
  status: fc.constantFrom(...statuses),
  phase: fc.constantFrom<Phase>('plan', 'apply'),
})
const event = fc.oneof(
  fc.constantFrom<TaskEvent>(
    { kind: 'accepted' },
    { kind: 'apply_succeeded' },
    { kind: 'failed' },
    { kind: 'cancelled' },
    { kind: 'requeued' },
  ),
  fc.boolean().map((hasChanges): TaskEvent => ({ kind: 'plan_succeeded', hasChanges })),
)

describe('nextStatus', () => {
  it('never leaves a final status', () => {
    fc.assert(
      fc.property(position, event, (task, what) => {
        fc.pre(isFinal(task.status))
        expect(nextStatus(task, what)).toBeUndefined()
      }),
    )
  })

  it('reaches `applied` only from a running apply', () => {
    fc.assert(
      fc.property(position, event, (task, what) => {
        if (nextStatus(task, what) !== 'applied') return
        expect(task).toMatchObject({ status: 'running', phase: 'apply' })
      }),
    )
  })

  it('never puts an apply back into the queue', () => {
    for (const taskType of ['plan_and_apply', 'destroy'] as const)
      expect(nextStatus({ taskType, status: 'running', phase: 'apply' }, { kind: 'requeued' })).toBeUndefined()
  })

  it('follows the table of the protocol', () => {
    const plan = { taskType: 'plan', phase: 'plan' } as const
    const full = { taskType: 'plan_and_apply', phase: 'plan' } as const
    expect(nextStatus({ ...plan, status: 'pending' }, { kind: 'accepted' })).toBe('running')
    expect(nextStatus({ ...plan, status: 'running' }, { kind: 'plan_succeeded', hasChanges: true })).toBe('success')
    expect(nextStatus({ ...full, status: 'running' }, { kind: 'plan_succeeded', hasChanges: true })).toBe(
      'apply_pending',
    )
    expect(nextStatus({ ...full, status: 'running' }, { kind: 'plan_succeeded', hasChanges: false })).toBe(
      'planned_and_finished',
    )
    expect(nextStatus({ ...full, status: 'apply_pending' }, { kind: 'accepted' })).toBe('running')
    expect(nextStatus({ ...full, status: 'apply_pending' }, { kind: 'cancelled' })).toBe('cancelled')
    expect(nextStatus({ ...full, status: 'running' }, { kind: 'requeued' })).toBe('pending')
    expect(nextStatus({ ...full, status: 'pending' }, { kind: 'plan_succeeded', hasChanges: true })).toBeUndefined()
  })
})

describe('eventOfReport', () => {
  const at = (taskType: TaskType, phase: Phase) => ({ taskType, phase, status: 'running' }) as const

  it('reads success by phase', () => {
    expect(eventOfReport(at('plan_and_apply', 'apply'), { status: 'success' })).toEqual({ kind: 'apply_succeeded' })
    expect(eventOfReport(at('plan_and_apply', 'plan'), { status: 'success' })).toEqual({
      kind: 'plan_succeeded',
      hasChanges: true,
    })
  })

  it('takes a plan for unchanged only when all three counts are given and 0', () => {
    const zero = { changes_add: 0, changes_change: 0, changes_destroy: 0 }
    expect(eventOfReport(at('destroy', 'plan'), { status: 'success', ...zero })).toMatchObject({ hasChanges: false })
    expect(
      eventOfReport(at('destroy', 'plan'), { status: 'success', ...zero, changes_destroy: undefined }),
    ).toMatchObject({ hasChanges: true })
  })

  it('treats running as progress, and pending or a word of the other phase as illegal', () => {
    expect(eventOfReport(at('plan', 'plan'), { status: 'running' })).toBeNull()
    expect(eventOfReport(at('plan', 'plan'), { status: 'pending' })).toBeUndefined()
    expect(eventOfReport(at('plan_and_apply', 'plan'), { status: 'applied' })).toBeUndefined()
    expect(eventOfReport(at('plan_and_apply', 'apply'), { status: 'apply_pending' })).toBeUndefined()
    expect(eventOfReport(at('plan', 'plan'), { status: 'apply_pending' })).toBeUndefined()
  })
})
