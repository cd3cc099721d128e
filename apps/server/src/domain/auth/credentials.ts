/** Credentials we make, the hashes we keep of them, and their comparison. */
import { hash, randomBytes, timingSafeEqual } from 'node:crypto'

/** 256 bits of chance behind a prefix that says what it is; a plain hash of so much chance needs no salt and no slowness. */
export function newSecret(prefix: 'iop' | 'ias'): string {
  return `${prefix}_${randomBytes(32).toString('base64url')}`
}

/** The public half of a pool's pair. */
export function newAppKey(): string {
  return `iak_${randomBytes(12).toString('hex')}`
}

/** Hex SHA-256: what the store keeps. */
export function hashOf(secret: string): string {
  return hash('sha256', secret, 'hex')
}

/** Whether `secret` is the one whose hash was kept, in constant time. */
export function isSecretOf(kept: string, secret: string): boolean {
  const wanted = Buffer.from(kept, 'latin1')
  const given = Buffer.from(hashOf(secret), 'latin1')
  return wanted.length === given.length && timingSafeEqual(wanted, given)
}
