import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { desiredState } from './desired.js'

const open = (taskId: number, attempt: number, over = {}) => ({
  taskId,
  attempt,
  isCancelRequested: false,
  isForced: false,
  ...over,
})

describe('the desired state of an agent', () => {
  it('wants open attempts to run, and says so again for those the agent does not know', () => {
    const { desired, unknown } = desiredState([open(1, 1), open(2, 1)], [{ taskId: 1, attempt: 1 }])
    expect(desired).toEqual([
      { task_id: 1, attempt: 1, want: 'run' },
      { task_id: 2, attempt: 1, want: 'run' },
    ])
    expect(unknown.map((attempt) => attempt.taskId)).toEqual([2])
  })

  it('wants what was cancelled to be cancelled, by force when an operator said so, and never sent again', () => {
    const cancelled = open(1, 1, { isCancelRequested: true })
    const forced = open(2, 1, { isCancelRequested: true, isForced: true })
    const { desired, unknown } = desiredState([cancelled, forced], [])
    expect(desired.map((task) => task.want)).toEqual(['cancel', 'force_cancel'])
    expect(unknown).toEqual([])
  })

  it('wants an older attempt forgotten and the new one run', () => {
    const { desired } = desiredState([open(1, 2)], [{ taskId: 1, attempt: 1 }])
    expect(desired).toContainEqual({ task_id: 1, attempt: 2, want: 'run' })
    expect(desired).toContainEqual({ task_id: 1, attempt: 1, want: 'forget' })
  })

  it('takes nothing as unknown or forgotten from an agent that tells no inventory', () => {
    expect(desiredState([open(1, 1)], undefined)).toEqual({
      desired: [{ task_id: 1, attempt: 1, want: 'run' }],
      unknown: [],
    })
  })

  it('answers every open and every reported attempt exactly once', () => {
    const pair = fc.record({ taskId: fc.integer({ min: 1, max: 4 }), attempt: fc.integer({ min: 1, max: 2 }) })
    const pairs = fc.uniqueArray(pair, { selector: (one) => `${one.taskId}/${one.attempt}` })
    fc.assert(
      fc.property(pairs, pairs, (opened, reported) => {
        const { desired } = desiredState(
          opened.map((one) => open(one.taskId, one.attempt)),
          reported,
        )
        const keys = desired.map((task) => `${task.task_id}/${task.attempt}`).sort()
        const wanted = new Set([...opened, ...reported].map((one) => `${one.taskId}/${one.attempt}`))
        expect(keys).toEqual([...wanted].sort())
      }),
    )
  })
})
