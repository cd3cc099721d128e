/** What a path without route is answered: 405 with `Allow` when other methods are known there, else 404. */
import { ApiError, type Endpoint } from '@iac-agent/protocol'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { sendError } from './error-handler.js'

export function notFoundHandler(request: FastifyRequest, reply: FastifyReply): void {
  const allowed = allowedMethods(request.server.endpoints, request.url)
  if (allowed.length === 0) {
    sendError(reply, new ApiError('not_found', 'there is nothing at this path'))
    return
  }
  reply.header('allow', allowed.join(', '))
  const message = `${request.method} is not possible here; ${allowed.join(', ')} ${allowed.length === 1 ? 'is' : 'are'}`
  sendError(reply, new ApiError('method_not_allowed', message, { allowed }))
}

/** Methods of the contracts whose path fits `url`. */
function allowedMethods(endpoints: readonly Endpoint[], url: string): string[] {
  const path = url.split('?', 1)[0] ?? url
  const fitting = endpoints.filter((endpoint) => patternOf(endpoint.path).test(path))
  return [...new Set(fitting.map((endpoint) => endpoint.method))].sort()
}

const patterns = new Map<string, RegExp>()

function patternOf(path: string): RegExp {
  const known = patterns.get(path)
  if (known !== undefined) return known
  const pattern = new RegExp(`^${path.replaceAll('.', '\\.').replaceAll(/:\w+/g, '[^/]+')}/?$`)
  patterns.set(path, pattern)
  return pattern
}
