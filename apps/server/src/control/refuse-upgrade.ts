/** Answers an upgrade that is not made: plain HTTP with our error body, then the end. */
import { randomUUID } from 'node:crypto'
import { STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { ApiError, type ErrorBody } from '@iac-agent/protocol'
import type { Logger } from '@iac-agent/runtime'

/** Anything but an ApiError is answered as `internal`, and logged under the request id. */
export function refuseUpgrade(socket: Duplex, err: unknown, logger: Logger): void {
  const request_id = randomUUID()
  const verdict = err instanceof ApiError ? err : new ApiError('internal', 'internal error')
  if (verdict !== err) logger.error({ err, request_id }, 'upgrade failed')
  const { code, message, details } = verdict
  const body: ErrorBody = { error: { code, message, details }, request_id }
  const text = JSON.stringify(body)
  const head = [
    `HTTP/1.1 ${verdict.httpStatus} ${STATUS_CODES[verdict.httpStatus] ?? ''}`,
    'Content-Type: application/json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(text)}`,
    ...(verdict.retryAfterSeconds === undefined ? [] : [`Retry-After: ${verdict.retryAfterSeconds}`]),
    'Connection: close',
  ]
  socket.end(`${head.join('\r\n')}\r\n\r\n${text}`)
}
