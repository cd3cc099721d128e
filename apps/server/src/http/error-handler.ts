/** The one funnel from whatever was thrown to an error answer. */
import { ApiError, type ErrorBody } from '@iac-agent/protocol'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { StoreError } from '../store/store-error.js'

/** Answers the error; what is our fault is logged whole and told as "internal error". */
export function errorHandler(err: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const verdict = verdictOf(err)
  const hasLeft = request.raw.destroyed && (err as NodeJS.ErrnoException).code === 'ECONNRESET'
  if (hasLeft) request.log.debug({ request_id: request.id }, 'caller left while sending')
  else if (verdict.httpStatus >= 500) request.log.error({ err, request_id: request.id }, 'request failed')
  sendError(reply, verdict)
}

/** What a refused caller still sends is dropped for this long, so that it gets to read the answer; then the line is cut. */
const lingerMs = 2_000

/** Sends an error body. */
export function sendError(reply: FastifyReply, verdict: ApiError): void {
  const body: ErrorBody = {
    error: { code: verdict.code, message: verdict.message, details: verdict.details },
    request_id: reply.request.id,
  }
  if (verdict.retryAfterSeconds !== undefined) reply.header('retry-after', verdict.retryAfterSeconds)
  if (!reply.request.raw.complete) cutOffLater(reply)
  reply.code(verdict.httpStatus).type('application/json; charset=utf-8').send(body)
}

function cutOffLater({ raw, request }: FastifyReply): void {
  raw.once('finish', () => {
    const timer = setTimeout(() => request.raw.complete || request.raw.socket.destroy(), lingerMs)
    request.raw.once('close', () => clearTimeout(timer))
  })
}

/** What the caller is told. */
export function verdictOf(err: unknown): ApiError {
  if (err instanceof ApiError) return err
  if (err instanceof StoreError) return verdictOfStore(err)
  const status = (err as FastifyError).statusCode
  if (typeof status === 'number' && status >= 400 && status < 500) return verdictOfFastify(status, err as FastifyError)
  return new ApiError('internal', 'internal error')
}

function verdictOfStore(err: StoreError): ApiError {
  const isPassing = err.code === 'store_busy' || err.code === 'store_full' || err.code === 'store_closed'
  return isPassing ? new ApiError('unavailable', 'internal error') : new ApiError('internal', 'internal error')
}

function verdictOfFastify(status: number, err: FastifyError): ApiError {
  if (status === 404) return new ApiError('not_found', 'there is nothing at this path')
  if (status === 413) return new ApiError('too_large', 'the body is too large')
  if (status === 415) return new ApiError('unsupported_media_type', 'this type of body is not taken here')
  if (status === 429) return new ApiError('rate_limited', 'too many requests with this credential')
  return new ApiError('invalid_request', err.message.slice(0, 300)) // it may quote a whole address
}
