import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { factsOf, granted, planned, prepared, ran, restored } from '../../tests/_util/facts.js'
import type { NewFact } from '../journal/attempt-record.js'
import { isStartUnused, nextStep } from './next-step.js'

describe('a plan', () => {
  const next = (...facts: NewFact[]) => nextStep(factsOf('plan', ...facts))

  it('goes from fetching to the plan archive, one recorded step after the other', () => {
    const facts = planned()
    const steps = facts.map((_, i) => next(...facts.slice(0, i)))
    expect([...new Set([...steps, next(...facts)])]).toEqual([
      'fetch',
      'prepare',
      'find_engine',
      'init',
      'plan',
      'show',
      'save_plan',
    ])
  })

  it('keeps no archive of a plan that changes nothing, or that is never applied', () => {
    expect(next(...planned({ add: 0, change: 0, destroy: 0 }, false))).toBe('release')
    const [fetched, ...rest] = planned()
    expect(next({ ...fetched, taskType: 'drift_check' } as NewFact, ...rest)).toBe('release')
  })

  it('runs init once after terraform refused a plan that skipped it', () => {
    const refused: NewFact[] = [
      ...prepared,
      { fact: 'initSkipped' },
      { fact: 'spawning', run: 'plan-1', outputOffset: 0 },
      { fact: 'exited', run: 'plan-1', code: 1, needsInit: true },
    ]
    expect(next(...refused)).toBe('init')
    expect(next(...refused, ...ran('init-1'))).toBe('plan')
    expect(next(...refused, ...ran('init-1'), ...ran('plan-2'))).toBe('show')
  })

  it('goes on with a command that was spawned and has no exit yet', () => {
    expect(next(...prepared, ...ran('init-1'), { fact: 'spawning', run: 'plan-1', outputOffset: 9 })).toBe('plan')
  })

  it.each([
    ['failed', { fact: 'failed', code: 'agent_fault', message: 'm' }],
    ['was cancelled', { fact: 'cancelRequested', reason: 'operator' }],
  ] as [string, NewFact][])('waits for a spawned command before anything else, even once it %s', (_, stopped) => {
    expect(next(...prepared, ...ran('init-1'), { fact: 'spawning', run: 'plan-1', outputOffset: 9 }, stopped)).toBe(
      'plan',
    )
  })

  it.each([
    ['failed', [{ fact: 'failed', code: 'agent_fault', message: 'm' }]],
    ['was cancelled', [{ fact: 'cancelRequested', reason: 'operator' }]],
    ['lost its init', [...prepared, ...ran('init-1', 1)]],
  ] as [string, NewFact[]][])('releases the work directory and finishes once it %s', (_, facts) => {
    expect(next(...facts)).toBe('release')
    expect(next(...facts, { fact: 'released' })).toBe('finish')
  })

  it('has nothing more to do once the outcome is recorded', () => {
    expect(next({ fact: 'outcome', status: 'failed', durationSeconds: 1 })).toBeUndefined()
  })
})

describe('an apply', () => {
  const next = (...facts: NewFact[]) => nextStep(factsOf('apply', ...facts))

  it('asks at the start gate after everything else is ready, then applies', () => {
    expect(next(...prepared)).toBe('restore_plan')
    expect(next(...prepared, { fact: 'planRestored' })).toBe('init')
    expect(next(...restored)).toBe('start_gate')
    expect(next(...restored, { fact: 'startAsked', startId: 's' })).toBe('start_gate')
    expect(next(...restored, ...granted)).toBe('apply')
  })

  it('asks once more, as another, in a copy of its directory, before it looks after a run that may be another one’s', () => {
    const copied: NewFact = { fact: 'moved', place: '2:3' }
    const asked: NewFact = { fact: 'startAsked', startId: 't' }
    const spawning: NewFact = { fact: 'spawning', run: 'apply-1', outputOffset: 0 }
    expect(next(...restored, copied)).toBe('start_gate')
    expect(next(...restored, ...granted, copied)).toBe('start_gate')
    expect(next(...restored, ...granted, spawning, copied, asked)).toBe('start_gate')
    const refused: NewFact = { fact: 'startAnswered', granted: false, code: 'already_started' }
    expect(next(...restored, ...granted, spawning, copied, asked, refused)).toBe('release')
    expect(next(...restored, ...granted, copied, asked, { fact: 'startAnswered', granted: true })).toBe('apply')
    expect(next(...restored, ...granted, ...ran('apply-1'), copied)).toBe('collect_states')
  })

  it('asks once more in a new process that finds its start granted and unused', () => {
    const doubted: NewFact = { fact: 'startDoubted' }
    const spawning: NewFact = { fact: 'spawning', run: 'apply-1', outputOffset: 0 }
    expect(isStartUnused(factsOf('apply', ...restored, ...granted), false)).toBe(true)
    expect(isStartUnused(factsOf('apply', ...restored, ...granted, spawning), false)).toBe(true)
    expect(isStartUnused(factsOf('apply', ...restored, ...granted, spawning), true)).toBe(false)
    expect(isStartUnused(factsOf('apply', ...restored, ...granted, ...ran('apply-1')), false)).toBe(false)
    expect(next(...restored, ...granted, doubted)).toBe('start_gate')
    expect(next(...restored, ...granted, spawning, doubted)).toBe('start_gate')
    expect(next(...restored, ...granted, spawning, doubted, { fact: 'startAnswered', granted: true })).toBe('apply')
  })

  it.each([0, 1])('collects states before anything else after an apply that ended with %i', (code) => {
    const facts = [...restored, ...granted, ...ran('apply-1', code)]
    expect(next(...facts)).toBe('collect_states')
    expect(next(...facts, { fact: 'statesCollected' })).toBe(code === 0 ? 'release' : 'list_unrecorded')
  })

  it.each([
    ['failed', ran('apply-1', 1)],
    ['was killed', ran('apply-1', 137)],
    ['ended nobody knows how', [...ran('apply-1', -1), { fact: 'failed', code: 'agent_fault', message: 'm' }]],
    ['was stopped by force', [{ fact: 'cancelRequested', reason: 'force' }, ...ran('apply-1', 1)]],
  ] as [string, NewFact[]][])('looks once for what no state holds when it %s', (_, end) => {
    const facts: NewFact[] = [...restored, ...granted, ...end, { fact: 'statesCollected' }]
    expect(next(...facts)).toBe('list_unrecorded')
    expect(next(...facts, { fact: 'unrecordedListed' })).toBe('release')
  })

  it('has nothing to look for when terraform never ran', () => {
    const facts: NewFact[] = [...restored, { fact: 'cancelRequested', reason: 'operator' }]
    expect(next(...facts)).toBe('release')
    expect(next(...facts, ...ran('apply-1', 125), { fact: 'statesCollected' })).toBe('release')
  })

  it('never comes to apply without a granted start, whatever else is recorded', () => {
    const pool: NewFact[] = [
      ...restored,
      ...ran('init-1'),
      { fact: 'startAsked', startId: 's' },
      { fact: 'startAnswered', granted: false, code: 'plan_stale' },
      { fact: 'cancelRequested', reason: 'operator' },
      { fact: 'statesCollected' },
      { fact: 'released' },
    ]
    fc.assert(
      fc.property(fc.shuffledSubarray(pool), (facts) => {
        expect(next(...facts)).not.toBe('apply')
      }),
    )
  })
})
