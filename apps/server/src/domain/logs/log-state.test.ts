import { expect, it } from 'vitest'
import { logStateOf } from './log-state.js'

it('is complete once sealed, even of an attempt that is over', () => {
  expect(logStateOf({ isSealed: true, attemptIsFinal: true, isSeedOnly: false })).toBe('complete')
})

it('is uploading while its attempt may write', () => {
  expect(logStateOf({ isSealed: false, attemptIsFinal: false, isSeedOnly: true })).toBe('uploading')
})

it('has a gap when its attempt ended without a seal, unless the agent knows none', () => {
  expect(logStateOf({ isSealed: false, attemptIsFinal: true, isSeedOnly: false })).toBe('gap')
  expect(logStateOf({ isSealed: false, attemptIsFinal: true, isSeedOnly: true })).toBe('unsealed')
})
