/** Makes a Fastify route of a contract: parses what comes in, hands typed values to the handler, sets status and type of the answer. */
import type { IncomingHttpHeaders } from 'node:http'
import type { Readable } from 'node:stream'
import {
  type AnswerOf,
  ApiError,
  type BodyOf,
  type Endpoint,
  InvalidInput,
  type ParamsOf,
  parse,
  type QueryOf,
} from '@iac-agent/protocol'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { AgentCaller } from '../domain/attempts/agent-caller.js'
import type { OperatorIdentity } from '../domain/auth/token-check.js'
import './identity.js'
import { readJson } from './json-body.js'
import { fromStrings } from './query-values.js'
import { RawBody } from './raw-body.js'

type RequestBody<E extends Endpoint> = E extends { body: { raw: readonly string[] } }
  ? RawBody | (E extends { body: { json: unknown } } ? BodyOf<E> : never)
  : BodyOf<E>
type AgentOf<E extends Endpoint> = E['audience'] extends 'agent' | 'attempt' ? AgentCaller : AgentCaller | undefined
type OperatorOf<E extends Endpoint> = E['audience'] extends 'read_only' | 'operator' | 'admin'
  ? OperatorIdentity
  : OperatorIdentity | undefined
/** A value to serialise, or text or bytes that are in the contract's form already. */
type Answer<E extends Endpoint> =
  | (E extends { answer: { json: unknown } } ? AnswerOf<E> : never)
  | string
  | Buffer
  | Readable
  | FastifyReply

export interface RouteInput<E extends Endpoint> {
  params: ParamsOf<E>
  query: QueryOf<E>
  body: RequestBody<E>
  headers: IncomingHttpHeaders
  request: FastifyRequest
  reply: FastifyReply
  caller: AgentOf<E>
  operator: OperatorOf<E>
}

export interface RouteOptions {
  /** hand an `application/json` body on as RawBody, unparsed */
  jsonAsBytes?: boolean
  /** a bound of its own for `application/json` bodies; default: the contract's */
  jsonLimitBytes?: number
}

declare module 'fastify' {
  interface FastifyContextConfig {
    endpoint?: Endpoint
  }
  interface FastifyInstance {
    /** every contract registered so far: for 405 and /openapi.json */
    endpoints: Endpoint[]
  }
}

/** Registers `endpoint` on `app`. @throws by the handler: ApiError for a verdict, anything else becomes 500. */
export function route<E extends Endpoint>(
  app: FastifyInstance,
  endpoint: E,
  handler: (input: RouteInput<E>) => Promise<Answer<E>> | Answer<E>,
  options: RouteOptions = {},
): void {
  app.endpoints.push(endpoint)
  app.route({
    method: endpoint.method,
    url: endpoint.path,
    config: { endpoint },
    handler: async (request, reply) => {
      const input = inputOf(endpoint, request, reply)
      if (endpoint.body !== undefined) input.body = await bodyOf(endpoint, request, options).catch(refuseInvalid)
      reply.code(endpoint.answer.status).type(endpoint.answer.raw ?? 'application/json; charset=utf-8')
      // the parts were just checked against the very schemas the type is made of
      return handler(input as unknown as RouteInput<E>)
    },
  })
}

/** Only what the caller sent is the caller's fault: a document of ours that breaks its schema later is not. */
function refuseInvalid(err: unknown): never {
  throw err instanceof InvalidInput ? new ApiError('invalid_request', err.message, { field: err.field }) : err
}

/** All but the body. */
function inputOf({ params, query }: Endpoint, request: FastifyRequest, reply: FastifyReply) {
  return {
    params: stringsOf(params, request.params, 'path'),
    query: stringsOf(query, request.query, 'query'),
    body: undefined as unknown,
    headers: request.headers,
    request,
    reply,
    caller: request.caller,
    operator: request.operator,
  }
}

function stringsOf(schema: Endpoint['query'], values: unknown, what: string): unknown {
  if (schema === undefined) return {}
  try {
    return parse(schema, fromStrings(schema, values as Record<string, unknown>), what)
  } catch (err) {
    return refuseInvalid(err)
  }
}

async function bodyOf(endpoint: Endpoint, request: FastifyRequest, options: RouteOptions): Promise<unknown> {
  const contract = endpoint.body
  if (contract === undefined) return undefined
  const contentType = mediaType(request.headers['content-type'])
  const isJson = contentType === 'application/json' || (contentType === '' && contract.json !== undefined)
  if (isJson && contract.json !== undefined) {
    const raw = new RawBody(request.raw, contentType, options.jsonLimitBytes ?? contract.limitBytes)
    return options.jsonAsBytes === true ? raw : parse(contract.json, await readJson(raw), 'body')
  }
  if (contract.raw?.includes(contentType)) {
    const limitBytes = isJson ? (options.jsonLimitBytes ?? contract.limitBytes) : contract.limitBytes
    return new RawBody(request.raw, contentType, limitBytes)
  }
  const taken = [...(contract.json === undefined ? [] : ['application/json']), ...(contract.raw ?? [])]
  throw new ApiError('unsupported_media_type', `the body must be ${taken.join(' or ')}`, { taken })
}

function mediaType(header: string | undefined): string {
  return (header ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? ''
}
