import { describe, expect, it } from 'vitest'
import { attemptOfToken, isLeaseOf, leaseToken, newLeaseSalt } from './lease-token.js'

describe('a lease token', () => {
  const attempt = { task_id: 7, number: 2, lease_salt: newLeaseSalt() }

  it('is the same each time it is derived, and says which attempt it is of', () => {
    const token = leaseToken(attempt)
    expect(leaseToken({ ...attempt })).toBe(token)
    expect(attemptOfToken(token)).toBe(2)
    expect(isLeaseOf(attempt, token)).toBe(true)
  })

  it.each([
    ['another attempt', { number: 3 }],
    ['another task', { task_id: 8 }],
    ['another salt', { lease_salt: newLeaseSalt() }],
  ])('does not fit %s', (_, over) => {
    expect(isLeaseOf({ ...attempt, ...over }, leaseToken(attempt))).toBe(false)
  })

  it.each(['', '2', 'x.y', '0.mac', '-1.mac'])('is not %j', (text) => {
    expect(attemptOfToken(text)).toBeUndefined()
  })
})
