import { describe, expect, it } from 'vitest'
import { attemptOfToken, isLeaseOf, leaseSalt, leaseToken } from './lease-token.js'

const origin = {
  taskId: 7,
  taskCreatedAt: 1,
  workspaceId: 'ws-1',
  number: 2,
  phase: 'plan',
  agentId: 'a',
} as const

describe('a lease token', () => {
  const attempt = { task_id: 7, number: 2, lease_salt: leaseSalt('key', origin) }

  it('is the same each time it is derived, and says which attempt it is of', () => {
    const token = leaseToken(attempt)
    expect(leaseToken({ ...attempt })).toBe(token)
    expect(attemptOfToken(token)).toBe(2)
    expect(isLeaseOf(attempt, token)).toBe(true)
  })

  it.each([
    ['another attempt', { number: 3 }],
    ['another task', { task_id: 8 }],
    ['the same of another task with its id', { lease_salt: leaseSalt('key', { ...origin, taskCreatedAt: 2 }) }],
    ['another workspace', { lease_salt: leaseSalt('key', { ...origin, workspaceId: 'ws-2' }) }],
    ['another phase', { lease_salt: leaseSalt('key', { ...origin, phase: 'apply' }) }],
    ['another agent', { lease_salt: leaseSalt('key', { ...origin, agentId: 'b' }) }],
    ['another store', { lease_salt: leaseSalt('other', origin) }],
  ])('does not fit %s', (_, over) => {
    expect(isLeaseOf({ ...attempt, ...over }, leaseToken(attempt))).toBe(false)
  })

  it.each(['', '2', 'x.y', '0.mac', '-1.mac'])('is not %j', (text) => {
    expect(attemptOfToken(text)).toBeUndefined()
  })
})
