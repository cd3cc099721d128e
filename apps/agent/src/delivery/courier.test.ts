import { expect, it } from 'vitest'
import { ServerRefused } from '../server-api/errors.js'
import { verdictOf } from './courier.js'

const refused = (code: 'state_conflict' | 'forbidden' | 'unknown_attempt' | 'unavailable') =>
  new ServerRefused({ error: { code, message: 'm', details: {} }, request_id: 'r' }, undefined)

it('takes for a verdict on the data what is said of the data, and will not change', () => {
  expect(verdictOf(refused('state_conflict'))).toEqual({ code: 'state_conflict', message: 'm' })
  expect(verdictOf(refused('unavailable'))).toBeUndefined()
})

it('sets nothing aside for what is said of the agent, or of the attempt', () => {
  expect(verdictOf(refused('forbidden'))).toBeUndefined()
  expect(verdictOf(refused('unknown_attempt'))).toBeUndefined()
})
