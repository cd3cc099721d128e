import { describe, expect, it } from 'vitest'
import { factsOf, granted, prepared, restored } from '../../tests/_util/facts.js'
import type { FactOf } from '../journal/attempt-facts.js'
import type { NewFact } from '../journal/attempt-record.js'
import { nextStep } from './next-step.js'
import { agentsWord, outcomeOf } from './outcome.js'

const GiB = 1024 ** 3
const plan = (...facts: NewFact[]) => factsOf('plan', ...prepared, { fact: 'initSkipped' }, spawned('plan-1'), ...facts)
const apply = (...facts: NewFact[]) => factsOf('apply', ...restored, ...granted, spawned('apply-1'), ...facts)
const spawned = (run: string): NewFact => ({ fact: 'spawning', run, outputOffset: 0 })
const exited = (run: string, code: number, more: Partial<FactOf<'exited'>> = {}): NewFact => ({
  ...more,
  fact: 'exited',
  run,
  code,
})
const signalled = (run: string, rung: 'interrupt' | 'interrupt_again' | 'kill'): NewFact => ({
  fact: 'signalling',
  run,
  rung,
})
const beyond = (run: string): NewFact => ({ fact: 'limitExceeded', run, code: 'run_timeout', message: 'too long.' })
const cancel = (reason: 'operator' | 'force'): NewFact => ({ fact: 'cancelRequested', reason })

describe('a run beyond a limit', () => {
  it('fails its task with the limit, also when the ladder had to kill it', () => {
    const stopped = [beyond('plan-1'), signalled('plan-1', 'interrupt'), signalled('plan-1', 'kill')]
    const facts = plan(...stopped, exited('plan-1', 137))
    expect(outcomeOf(facts)).toEqual({ status: 'failed', errorCode: 'run_timeout', errorMessage: 'too long.' })
    expect(agentsWord(facts)).toBe('too long.')
    expect(nextStep(facts)).toBe('release')
  })

  it('is failed, not cancelled, when somebody cancels after; force still says what may be lost', () => {
    const facts = [beyond('apply-1'), signalled('apply-1', 'interrupt'), cancel('force')]
    const { status, errorCode, errorMessage } = outcomeOf(
      apply(...facts, signalled('apply-1', 'interrupt_again'), exited('apply-1', 1)),
    )
    expect({ status, errorCode }).toEqual({ status: 'failed', errorCode: 'run_timeout' })
    expect(errorMessage).toMatch(/^too long\. The apply was stopped by force/)
  })

  it('is cancelled when that was wanted first', () => {
    const facts = apply(cancel('operator'), signalled('apply-1', 'interrupt'), beyond('apply-1'), exited('apply-1', 1))
    expect(outcomeOf(facts)).toEqual({ status: 'cancelled' })
    expect(agentsWord(facts)).toBeUndefined()
  })

  it('has done its work all the same when it ends well', () => {
    const facts = apply(beyond('apply-1'), signalled('apply-1', 'interrupt'), exited('apply-1', 0))
    expect(outcomeOf(facts).status).toBe('applied')
    const planned = plan(beyond('plan-1'), signalled('plan-1', 'interrupt'), exited('plan-1', 0))
    expect(nextStep(planned)).toBe('show')
  })
})

describe('a run that was killed', () => {
  const used = { peakRssBytes: 1.5 * GiB }

  it('says so when nobody of us did it, with what it held and what the host has', () => {
    const facts = apply(exited('apply-1', 137, { used, hostMemoryBytes: 2 * GiB }))
    expect(outcomeOf(facts)).toMatchObject({ status: 'failed', errorCode: 'killed' })
    expect(agentsWord(facts)).toContain('Of memory, 1536 MiB were seen in use, the host has 2048 MiB.')
    expect(nextStep(facts)).toBe('collect_states')
  })

  it('was out of memory when the kernel has killed for it meanwhile', () => {
    const facts = apply(exited('apply-1', 137, { used, oomKills: 1, hostMemoryBytes: 2 * GiB }))
    expect(outcomeOf(facts)).toMatchObject({ status: 'failed', errorCode: 'out_of_memory' })
    expect(agentsWord(facts)).toContain('--task-memory-limit')
  })

  it('was out of memory too when the kernel killed a plugin and terraform tells of its crash', () => {
    const diagnostics = [{ summary: 'Plugin did not respond', detail: 'The plugin encountered an error.' }]
    expect(outcomeOf(apply(exited('apply-1', 1, { oomKills: 1, diagnostics })))).toMatchObject({
      errorCode: 'out_of_memory',
      errorMessage: expect.stringContaining('killed a plugin of terraform apply') as string,
    })
    expect(outcomeOf(apply(exited('apply-1', 1, { diagnostics }))).errorCode).toBe('apply_failed')
    expect(outcomeOf(apply(exited('apply-1', 1, { oomKills: 1 }))).errorCode).toBe('apply_failed')
  })

  it('is a cancel when it was ours', () => {
    const facts = [cancel('operator'), signalled('plan-1', 'interrupt'), signalled('plan-1', 'kill')]
    expect(outcomeOf(plan(...facts, exited('plan-1', 137)))).toEqual({ status: 'cancelled' })
  })
})
