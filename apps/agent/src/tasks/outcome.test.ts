import { describe, expect, it } from 'vitest'
import { factsOf, granted, planned, prepared, ran, restored } from '../../tests/_util/facts.js'
import type { Diagnostic, NewFact } from '../journal/attempt-record.js'
import { outcomeOf } from './outcome.js'

const plan = (...facts: NewFact[]) => outcomeOf(factsOf('plan', ...facts))
const apply = (...facts: NewFact[]) => outcomeOf(factsOf('apply', ...facts))
const broke = (run: string, summary: string, detail = ''): NewFact[] => {
  const diagnostic: Diagnostic = { summary, detail, file: 'main.tf', line: 3 }
  return [
    { fact: 'spawning', run, outputOffset: 0 },
    { fact: 'exited', run, code: 1, diagnostics: [diagnostic] },
  ]
}

describe('a plan', () => {
  it('ends as success with its counts', () => {
    expect(plan(...planned())).toEqual({ status: 'success', counts: { add: 1, change: 0, destroy: 0 } })
  })

  it('says three zeros only when there is nothing to apply', () => {
    const zeros = { add: 0, change: 0, destroy: 0 }
    expect(plan(...planned(zeros, false))).toEqual({ status: 'success', counts: zeros })
    expect(plan(...planned(zeros, true))).toEqual({ status: 'success' })
  })

  it.each([
    ['init-1', 'Invalid expression', 'configuration_invalid'],
    ['init-1', 'Failed to query available provider packages', 'provider_unavailable'],
    ['init-1', 'Unsupported Terraform Core version', 'terraform_version_unavailable'],
    ['init-1', 'Something nobody foresaw', 'init_failed'],
    ['plan-1', 'No value for required variable', 'missing_variable'],
    ['plan-1', 'Reference to undeclared resource', 'configuration_invalid'],
    ['plan-1', 'Something nobody foresaw', 'plan_failed'],
    ['plan-1', 'Failed to write plan file: no space left on device', 'disk_full'],
  ])('says of %s and "%s" that it is %s', (run, summary, code) => {
    const { status, errorCode, errorMessage } = plan(...prepared, ...broke(run, summary, 'Because\nof this'))
    expect({ status, errorCode }).toEqual({ status: 'failed', errorCode: code })
    expect(errorMessage).toBe(`${summary} (main.tf, line 3): Because of this.`)
  })

  it('names the error behind the preface of init', () => {
    const diagnostics: Diagnostic[] = [
      {
        summary: 'Terraform encountered problems during initialisation, including problems with the configuration',
        detail: '',
      },
      { summary: 'Unsupported argument', detail: 'No "x" here.' },
    ]
    const facts: NewFact[] = [
      { fact: 'spawning', run: 'init-1', outputOffset: 0 },
      { fact: 'exited', run: 'init-1', code: 1, diagnostics },
    ]
    expect(plan(...prepared, ...facts).errorMessage).toBe('Unsupported argument: No "x" here.')
  })

  it.each([
    [139, 'terraform plan was ended by SIGSEGV (exit code 139).'],
    [3, 'terraform plan ended with exit code 3.'],
    [250, 'terraform plan ended with exit code 250.'],
  ])('says the exit code %i when terraform said nothing', (code, sentence) => {
    expect(plan(...prepared, ...ran('init-1'), ...ran('plan-1', code)).errorMessage).toBe(sentence)
  })

  it('says agent_fault when nothing explains the end', () => {
    const { errorCode, errorMessage } = plan(...prepared)
    expect(errorCode).toBe('agent_fault')
    expect(errorMessage).toBe('The agent stopped in the middle of this attempt and nothing of it is left running.')
  })

  it('keeps the sentence of a failure the agent found', () => {
    const facts: NewFact[] = [{ fact: 'failed', code: 'terraform_not_found', message: 'No terraform here.' }]
    expect(plan(...facts)).toEqual({
      status: 'failed',
      errorCode: 'terraform_not_found',
      errorMessage: 'No terraform here.',
    })
  })
})

describe('a cancel', () => {
  const cancel: NewFact = { fact: 'cancelRequested', reason: 'operator' }

  it('ends a plan as cancelled, before, in and after the run', () => {
    expect(plan(cancel)).toEqual({ status: 'cancelled' })
    expect(plan(...planned(), cancel)).toEqual({ status: 'cancelled' })
    const interrupted: NewFact[] = [
      cancel,
      { fact: 'signalling', run: 'plan-1', rung: 'interrupt' },
      ...ran('plan-1', 1),
    ]
    expect(plan(...prepared, ...interrupted)).toEqual({ status: 'cancelled' })
  })

  it('ends an attempt as cancelled whose command was kept from starting', () => {
    expect(plan(...prepared, cancel, ...ran('init-1', 125))).toEqual({ status: 'cancelled' })
  })

  it('that only a server wanted which gave the attempt up is none: the attempt is lost', () => {
    const forgotten: NewFact = { fact: 'cancelRequested', reason: 'forgotten' }
    expect(plan(forgotten)).toMatchObject({ status: 'failed', errorCode: 'lost' })
    expect(plan(cancel, forgotten)).toEqual({ status: 'cancelled' })
    expect(plan({ fact: 'cancelRequested', reason: 'shutdown' })).toEqual({ status: 'cancelled' })
  })

  it('does not hide a failure that came before anybody signalled', () => {
    expect(plan(...prepared, ...broke('plan-1', 'Invalid function argument'), cancel).status).toBe('failed')
  })

  it('leaves an apply that finished all the same as applied', () => {
    const facts: NewFact[] = [cancel, { fact: 'signalling', run: 'apply-1', rung: 'interrupt' }, ...ran('apply-1', 0)]
    expect(apply(...restored, ...granted, ...facts)).toEqual({ status: 'applied' })
  })

  it('tells what a forced end of an apply lost', () => {
    const forced: NewFact[] = [
      cancel,
      { fact: 'signalling', run: 'apply-1', rung: 'interrupt' },
      { fact: 'signalling', run: 'apply-1', rung: 'interrupt_again' },
      ...ran('apply-1', 1),
    ]
    const end = (created: number, mayExist: number) =>
      apply(...restored, ...granted, ...forced, { fact: 'unrecordedListed', created, mayExist })
    const sentence = 'The apply was stopped by force, without waiting for the resources in flight.'
    expect(end(0, 0)).toEqual({ status: 'cancelled', errorMessage: sentence })
    expect(end(0, 1)).toEqual({
      status: 'cancelled',
      errorMessage:
        `${sentence} 1 resource was being created and may exist without being in the state: ` +
        'see GET /api/v1/tasks/1/unrecorded-resources.',
    })
  })
})

describe('a start gate that says no', () => {
  const refused = (code: string) => apply(...restored, { fact: 'startAnswered', granted: false, code, message: 'No.' })

  it('cancels what was cancelled, and gives up what is no longer ours', () => {
    expect(refused('illegal_transition')).toEqual({ status: 'cancelled' })
    expect(refused('stale_lease')).toMatchObject({ status: 'failed', errorCode: 'lost' })
  })

  it('fails a stale plan with the words of the server', () => {
    expect(refused('plan_stale')).toEqual({ status: 'failed', errorCode: 'plan_stale', errorMessage: 'No.' })
  })
})

describe('an apply that was killed', () => {
  const killed = (...facts: NewFact[]) => apply(...restored, ...granted, ...ran('apply-1', 137), ...facts)

  const sentence =
    "terraform apply was killed by SIGKILL, which this agent did not send. Ask who did: a person, another program, or the host's limits."

  it('says how many resources the state lacks, and where they are listed', () => {
    expect(killed({ fact: 'unrecordedListed', created: 2, mayExist: 1 })).toEqual({
      status: 'failed',
      errorCode: 'killed',
      errorMessage:
        `${sentence} 2 resources were created but are not in the state; ` +
        '1 resource was being created and may exist without being in the state: see GET /api/v1/tasks/1/unrecorded-resources.',
    })
  })

  it('says nothing of it when the state has all, and says so when nobody could look', () => {
    expect(killed({ fact: 'unrecordedListed', created: 0, mayExist: 0 }).errorMessage).toBe(sentence)
    expect(killed({ fact: 'unrecordedListed' }).errorMessage).toBe(
      `${sentence} Whether its state has all it created could not be found out.`,
    )
  })

  it('keeps room for that after a long error', () => {
    const facts = [...broke('apply-1', 'e', 'x'.repeat(4096)), { fact: 'unrecordedListed', created: 1, mayExist: 0 }]
    const { errorMessage = '' } = apply(...restored, ...granted, ...(facts as NewFact[]))
    expect(errorMessage.length).toBeLessThan(4096)
    expect(errorMessage).toMatch(/unrecorded-resources\.$/)
  })
})

it('says disk_full with the exit code when the reason was lost on a full disk, and the reason when it was not', () => {
  const torn: NewFact = { fact: 'outputTorn', freeBytes: 0 }
  expect(apply(...restored, ...granted, torn, ...ran('apply-1', 1))).toEqual({
    status: 'failed',
    errorCode: 'disk_full',
    errorMessage: 'The disk of the agent was full while terraform apply ran, which ended with exit code 1.',
  })
  expect(apply(...restored, ...granted, torn, ...broke('apply-1', 'Boom')).errorCode).toBe('apply_failed')
  expect(apply(...restored, ...granted, torn, ...ran('apply-1', 0)).status).toBe('applied')
})

it('says apply_failed with the first error of an apply', () => {
  expect(apply(...restored, ...granted, ...broke('apply-1', 'local-exec provisioner error', 'exit 3'))).toEqual({
    status: 'failed',
    errorCode: 'apply_failed',
    errorMessage: 'local-exec provisioner error (main.tf, line 3): exit 3.',
  })
})
