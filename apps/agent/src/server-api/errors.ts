/** What can come back instead of an answer: a verdict of our server, or the network's trouble. */
import { ApiError, type ErrorBody } from '@iac-agent/protocol'

/** Our server said no, with a code of its closed list. */
export class ServerRefused extends ApiError {
  constructor(
    body: ErrorBody,
    /** what Retry-After asked for, milliseconds */
    readonly retryAfterMs: number | undefined,
    /** life of the server's store in which this holds; undefined when it did not say */
    readonly storeEpoch?: number | undefined,
  ) {
    super(body.error.code, body.error.message, body.error.details, body.request_id)
    this.name = 'ServerRefused'
  }
}

/**
 * - `unreachable`: no answer (DNS, TCP, TLS, proxy, cut)
 * - `timeout`: nothing moved for the request's time limit
 * - `not_our_answer`: an answer that our server did not make: a proxy's page, a captive portal, a load balancer's 502
 */
export type Trouble = 'unreachable' | 'timeout' | 'not_our_answer'

/** No verdict: the same request may succeed later, and is sent again. */
export class ServerUnreachable extends Error {
  readonly httpStatus: number | undefined
  readonly retryAfterMs: number | undefined
  constructor(
    readonly code: Trouble,
    message: string,
    details: { httpStatus?: number; retryAfterMs?: number | undefined; cause?: unknown } = {},
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.name = 'ServerUnreachable'
    this.httpStatus = details.httpStatus
    this.retryAfterMs = details.retryAfterMs
  }
}

/**
 * Whether the same request may succeed later. Not `offset_gap`: the sender has to go back first. Anything but the two errors above is
 * a fault of ours, or the disk's: not here.
 */
export function isRetryable(err: unknown): boolean {
  if (err instanceof ServerUnreachable) return true
  return err instanceof ServerRefused && err.isRetryable && err.code !== 'offset_gap'
}

/** What the other side asked to wait, milliseconds. */
export function retryAfterMs(err: unknown): number | undefined {
  return err instanceof ServerUnreachable || err instanceof ServerRefused ? err.retryAfterMs : undefined
}

/** Retry-After as milliseconds: seconds or an HTTP date; at most an hour. */
export function readRetryAfter(header: string | undefined, now: number): number | undefined {
  if (header === undefined) return undefined
  const ms = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - now
  return Number.isFinite(ms) ? Math.min(Math.max(ms, 0), 3_600_000) : undefined
}
