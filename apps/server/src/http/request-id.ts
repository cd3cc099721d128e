/** Names a request in its answer and in the log. */
import { randomBytes } from 'node:crypto'

export function newRequestId(): string {
  return `req-${randomBytes(8).toString('hex')}`
}
