/** The token that proves an attempt: derived from a secret on its row, so the server can say it again. */
import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Phase } from '@iac-agent/protocol'

export interface LeaseOwner {
  readonly task_id: number
  readonly number: number
  readonly lease_salt: string
}

/** What makes an attempt this one and no other, whatever became of its row. */
export interface AttemptOrigin {
  readonly taskId: number
  /** epoch ms: tells the task from one that got its id after a restore */
  readonly taskCreatedAt: number
  readonly workspaceId: string
  readonly number: number
  readonly phase: Phase
  readonly agentId: string
}

/** The secret of an attempt's row. Derived, so that a restored store knows the leases of attempts it no longer has. */
export function leaseSalt(key: string, origin: AttemptOrigin): string {
  const { taskId, taskCreatedAt, workspaceId, number, phase, agentId } = origin
  const text = JSON.stringify([taskId, taskCreatedAt, workspaceId, number, phase, agentId])
  return createHmac('sha256', key).update(text).digest('base64url')
}

/** `<attempt>.<mac>`: the number in it says which attempt it is of. */
export function leaseToken(attempt: LeaseOwner): string {
  const mac = createHmac('sha256', attempt.lease_salt)
    .update(`${attempt.task_id}:${attempt.number}`)
    .digest('base64url')
  return `${attempt.number}.${mac}`
}

/** The attempt number a token claims, or undefined when it is no token. */
export function attemptOfToken(token: string): number | undefined {
  const found = /^([1-9]\d{0,8})\./.exec(token)
  return found === null ? undefined : Number(found[1])
}

/** Compares in constant time. */
export function isLeaseOf(attempt: LeaseOwner, token: string): boolean {
  const wanted = tokenOf(attempt)
  const given = Buffer.from(token)
  return wanted.length === given.length && timingSafeEqual(wanted, given)
}

/** Tokens by their salts, newest last: each request of an attempt asks for it, and deriving one costs as much as a statement. */
const derived = new Map<string, { readonly taskId: number; readonly number: number; readonly token: Buffer }>()
const mostDerived = 4096

function tokenOf(attempt: LeaseOwner): Buffer {
  const known = derived.get(attempt.lease_salt)
  if (known !== undefined && known.taskId === attempt.task_id && known.number === attempt.number) return known.token
  const token = Buffer.from(leaseToken(attempt))
  derived.delete(attempt.lease_salt)
  derived.set(attempt.lease_salt, { taskId: attempt.task_id, number: attempt.number, token })
  const [oldest] = derived.keys()
  if (derived.size > mostDerived && oldest !== undefined) derived.delete(oldest)
  return token
}
