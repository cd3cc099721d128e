import { type ErrorCode, errorCodes } from '@iac-agent/protocol'
import { describe, expect, it } from 'vitest'
import { isRetryable, readRetryAfter, ServerRefused, ServerUnreachable } from './errors.js'

const refused = (code: ErrorCode) =>
  new ServerRefused({ error: { code, message: 'No.', details: {} }, request_id: '1' }, undefined)

describe('what may succeed later', () => {
  it('is everything without a verdict, and the verdicts that pass', () => {
    expect(isRetryable(new ServerUnreachable('not_our_answer', 'a page', { httpStatus: 403 }))).toBe(true)
    expect(errorCodes.filter((code) => isRetryable(refused(code)))).toEqual([
      'unauthorized',
      'checksum_mismatch',
      'version_skew',
      'rate_limited',
      'internal',
      'unavailable',
    ])
  })

  it('is no fault of our own', () => {
    expect(isRetryable(new TypeError('x is undefined'))).toBe(false)
  })
})

describe('Retry-After', () => {
  const now = Date.parse('2026-01-01T00:00:00Z')
  it.each([
    ['5', 5000],
    ['Thu, 01 Jan 2026 00:00:30 GMT', 30_000],
    ['Wed, 31 Dec 2025 00:00:00 GMT', 0],
    ['999999', 3_600_000],
    ['soon', undefined],
    [undefined, undefined],
  ])('%s is %s ms', (header, ms) => {
    expect(readRetryAfter(header, now)).toBe(ms)
  })
})
