/** The closed list of error codes an answer may carry, with HTTP status and whether the same request may succeed later. */
import { type Static, Type } from 'typebox'

interface ErrorRule {
  readonly status: number
  /** the same request, sent again unchanged, may succeed */
  readonly retryable: boolean
}

const rules = {
  invalid_request: { status: 400, retryable: false },
  unauthorized: { status: 401, retryable: true },
  forbidden: { status: 403, retryable: false },
  not_found: { status: 404, retryable: false },
  unknown_attempt: { status: 404, retryable: false },
  method_not_allowed: { status: 405, retryable: false },
  conflict: { status: 409, retryable: false },
  offset_gap: { status: 409, retryable: true },
  log_diverged: { status: 409, retryable: false },
  stale_lease: { status: 409, retryable: false },
  already_started: { status: 409, retryable: false },
  illegal_transition: { status: 409, retryable: false },
  state_conflict: { status: 409, retryable: false },
  state_not_imported: { status: 409, retryable: false },
  workspace_locked: { status: 409, retryable: false },
  plan_stale: { status: 409, retryable: false },
  too_large: { status: 413, retryable: false },
  unsupported_media_type: { status: 415, retryable: false },
  checksum_mismatch: { status: 422, retryable: true },
  version_skew: { status: 426, retryable: true },
  rate_limited: { status: 429, retryable: true },
  internal: { status: 500, retryable: true },
  unavailable: { status: 503, retryable: true },
} as const satisfies Record<string, ErrorRule>

export type ErrorCode = keyof typeof rules

export const errorCodes = Object.keys(rules) as ErrorCode[]

export const ErrorCode = Type.Enum(errorCodes)

/** The body of every answer that is not a success. */
export const ErrorBody = Type.Object({
  error: Type.Object({
    code: ErrorCode,
    message: Type.String({ description: 'one sentence' }),
    details: Type.Record(Type.String(), Type.Unknown()),
  }),
  request_id: Type.String(),
})
export type ErrorBody = Static<typeof ErrorBody>

/** HTTP status of a code. */
export function httpStatusOf(code: ErrorCode): number {
  return rules[code].status
}

/** A verdict of our server: thrown by its use cases, and by clients that received one. */
export class ApiError extends Error {
  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly details: Record<string, unknown> = {},
    readonly requestId?: string,
  ) {
    super(message)
    this.name = 'ApiError'
  }
  get httpStatus(): number {
    return httpStatusOf(this.code)
  }
  /** what `Retry-After` says, in seconds: for `rate_limited` and `unavailable`, from `details.retry_after_ms`, 1 when it is absent */
  get retryAfterSeconds(): number | undefined {
    if (this.code !== 'rate_limited' && this.code !== 'unavailable') return undefined
    const { retry_after_ms: ms } = this.details
    return typeof ms === 'number' ? Math.max(1, Math.ceil(ms / 1000)) : 1
  }
  /** whether the same request, sent again unchanged, may succeed */
  get isRetryable(): boolean {
    return rules[this.code].retryable
  }
}
