/** Names a request in its answer and in the log. */
import { randomUUID } from 'node:crypto'

export function newRequestId(): string {
  const uuid = randomUUID() // drawn from a pool of chance: a call for eight bytes costs more
  return `req-${uuid.slice(0, 8)}${uuid.slice(28)}`
}
