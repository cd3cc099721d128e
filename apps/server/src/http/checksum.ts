/** Compares a body with the SHA-256 that came with it. */
import { hash } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { ApiError, readChecksum } from '@iac-agent/protocol'

/** The text of X-Content-SHA256, if there is one. */
export function checksumHeader(headers: IncomingHttpHeaders): string | undefined {
  return headers['x-content-sha256']?.toString()
}

/** None given is none to check. Throws `checksum_mismatch`. */
export function requireChecksum(bytes: Buffer, given: string | undefined): void {
  const expected = readChecksum(given)
  if (expected === null) return
  const sha256 = hash('sha256', bytes, 'hex')
  if (sha256 === expected) return
  throw new ApiError('checksum_mismatch', 'the checksum is not that of the bytes received', { sha256 })
}
