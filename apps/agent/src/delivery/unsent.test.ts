import { describe, expect, it } from 'vitest'
import type { Fact, NewFact } from '../journal/attempt-record.js'
import {
  acknowledgedIn,
  isAllSettled,
  isOfEarlierLife,
  isStatusDue,
  isUnknown,
  nextStateToSend,
  unsentItems,
  unsentStates,
} from './unsent.js'

const at = '2026-01-01T00:00:00.000Z'
const facts = (...all: NewFact[]): Fact[] => all.map((fact) => ({ ...fact, at }) as Fact)
const offered = (action: 'plan' | 'apply'): NewFact => ({
  fact: 'offered',
  taskId: 1,
  attempt: 1,
  workspaceId: 'ws-1',
  action,
  leaseToken: 'x',
  leaseTtlMs: 1,
  workRoot: '/',
})
const state = (file: string, isOurs = true, serial = 1): NewFact => ({
  fact: 'stateReceived',
  file,
  origin: 'posted',
  serial,
  sha256: '0'.repeat(64),
  isOurs,
})
const outcome: NewFact = { fact: 'outcome', status: 'success', durationSeconds: 1 }
type Label = Extract<NewFact, { fact: 'delivered' }>['item']
const delivered = (item: Label, name?: string): NewFact => ({
  fact: 'delivered',
  item,
  late: false,
  ...(name && { name }),
})
const refused = (item: Label, name?: string): NewFact => ({
  fact: 'refused',
  item,
  code: 'c',
  message: 'm',
  ...(name && { name }),
})

describe('what is unsent', () => {
  it('is each state of ours that was neither delivered nor refused, by name', () => {
    const all = facts(
      offered('apply'),
      state('1'),
      state('2'),
      state('3'),
      state('4', false),
      delivered('state', '2'),
      refused('state', '1'),
    )
    expect(unsentStates(all).map(({ file }) => file)).toEqual(['3'])
  })

  it('is the list of unrecorded resources only when there is one, and before the status', () => {
    const unknown = facts(offered('apply'), delivered('progress'), delivered('log'), { fact: 'unrecordedListed' })
    expect(unsentItems(unknown)).toEqual(['status'])
    const known = [...unknown.slice(0, -1), ...facts({ fact: 'unrecordedListed', created: 0, mayExist: 0 }, outcome)]
    expect(unsentItems(known)).toEqual(['unrecorded', 'status'])
    expect(isStatusDue(known)).toBe(false)
    expect(isStatusDue([...known, ...facts(delivered('unrecorded'))])).toBe(true)
  })

  it('goes newest state first, but older first among those of one serial', () => {
    const all = facts(offered('apply'), state('a', true, 1), state('b', true, 2), state('c', true, 2))
    expect(nextStateToSend(all)?.file).toBe('b')
    expect(nextStateToSend([...all, ...facts(delivered('state', 'b'))])?.file).toBe('c')
    expect(nextStateToSend([...all, ...facts(delivered('state', 'b'), delivered('state', 'c'))])?.file).toBe('a')
  })

  it('is what was made, and what always comes', () => {
    expect(unsentItems(facts(offered('plan')))).toEqual(['log', 'status'])
    expect(unsentItems(facts(offered('apply'), state('1')))).toEqual(['state', 'progress', 'log', 'status'])
    expect(unsentItems(facts(offered('plan'), { fact: 'planPacked' }, { fact: 'planJsonSaved' }))).toEqual([
      'plan',
      'plan_json',
      'log',
      'status',
    ])
  })
})

describe('the final status', () => {
  const ready = [offered('apply'), state('1'), delivered('state', '1'), delivered('progress'), delivered('log')]

  it('is due when it is known and the server has all that it speaks of', () => {
    expect(isStatusDue(facts(...ready))).toBe(false)
    expect(isStatusDue(facts(...ready, outcome))).toBe(true)
    expect(isStatusDue(facts(...ready, outcome, state('2')))).toBe(false)
    expect(isStatusDue(facts(...ready, outcome, state('2'), refused('state', '2')))).toBe(true)
  })

  it('settles the attempt unless something came after it', () => {
    expect(isAllSettled(facts(...ready, outcome))).toBe(false)
    expect(isAllSettled(facts(...ready, outcome, delivered('status')))).toBe(true)
    expect(isAllSettled(facts(...ready, outcome, delivered('status'), state('2')))).toBe(false)
  })
})

describe("another life of the server's store", () => {
  const under = (epoch: number | undefined, item: Label, name?: string): NewFact => ({
    ...delivered(item, name),
    ...(epoch === undefined ? {} : { epoch }),
  })
  const over = [offered('apply'), state('1'), outcome]
  const all = (epoch?: number) => [
    ...over,
    under(epoch, 'state', '1'),
    under(epoch, 'progress'),
    under(epoch, 'log'),
    under(epoch, 'status'),
  ]
  const resend = (epoch: number): NewFact => ({ fact: 'resend', epoch })
  const unknown = (epoch: number): NewFact => ({ fact: 'unknownToServer', epoch, message: 'm' })

  it('voids what was acknowledged in an earlier one, once that is recorded', () => {
    expect(isAllSettled(facts(...all(1)))).toBe(true)
    expect(unsentItems(facts(...all(1), resend(2)))).toEqual(['state', 'progress', 'log', 'status'])
    expect(unsentItems(facts(...all(), resend(2)))).toEqual(['state', 'progress', 'log', 'status'])
    expect(unsentItems(facts(...all(1), resend(2), under(2, 'log')))).toEqual(['state', 'progress', 'status'])
    expect(isAllSettled(facts(...all(1), resend(2), ...all(2).slice(over.length)))).toBe(true)
  })

  it('counts an answer of the present one though it was recorded before, and none of an earlier one recorded after', () => {
    expect(unsentItems(facts(...all(2), resend(2)))).toEqual([])
    expect(unsentItems(facts(...all(2), resend(2), resend(3), under(2, 'log')))).toContain('log')
  })

  it('leaves what was refused for good alone', () => {
    expect(unsentItems(facts(...over, refused('log'), resend(2)))).toEqual(['state', 'progress', 'status'])
  })

  it('is noticed as long as something was acknowledged before it', () => {
    expect(isOfEarlierLife(facts(...over), 2)).toBe(false)
    expect(isOfEarlierLife(facts(...all(1)), 1)).toBe(false)
    expect(isOfEarlierLife(facts(...all(1)), 2)).toBe(true)
    expect(isOfEarlierLife(facts(...all()), 2)).toBe(true)
    expect(isOfEarlierLife(facts(...all(2), under(undefined, 'plan')), 2)).toBe(false)
    expect(isOfEarlierLife(facts(...all(1), resend(2)), 2)).toBe(false)
    expect(isOfEarlierLife(facts(...all(1), resend(2)), 3)).toBe(true)
  })

  it('is told from the lives that acknowledged what counts as sent, whatever was not to be sent at all', () => {
    expect(acknowledgedIn(facts(...over))).toBeUndefined()
    expect(acknowledgedIn(facts(...all(3)))).toBe(3)
    expect(acknowledgedIn(facts(...all(3), under(undefined, 'progress')))).toBe(3)
    expect(acknowledgedIn(facts(...all(2), under(1, 'progress')))).toBe(1)
    expect(acknowledgedIn(facts(...all(1), resend(2), under(2, 'state')))).toBe(2)
  })

  it('may not know the attempt: then nothing is sent, until yet another one', () => {
    expect(isUnknown(facts(...all(1), resend(2), unknown(2)))).toBe(true)
    expect(unsentItems(facts(...all(1), resend(2), unknown(2)))).toEqual([])
    expect(isAllSettled(facts(...over, unknown(2)))).toBe(true)
    expect(isOfEarlierLife(facts(...all(1), resend(2), unknown(2)), 2)).toBe(false)
    expect(isOfEarlierLife(facts(...all(1), resend(2), unknown(2)), 3)).toBe(true)
    expect(isUnknown(facts(...all(1), resend(2), unknown(2), resend(3)))).toBe(false)
  })
})
