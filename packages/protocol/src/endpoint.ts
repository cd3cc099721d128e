/** What one HTTP endpoint is: routes, clients and /openapi.json are made from these contracts. */
import type { Static, TSchema } from 'typebox'

/** Who may call: an operator's role or above, an agent of a pool, an attempt (an agent with its lease), or anybody. */
export type Audience = 'open' | 'read_only' | 'operator' | 'admin' | 'agent' | 'agent_or_operator' | 'attempt'

export interface BodyContract<S extends TSchema = TSchema> {
  /** the schema of an `application/json` body */
  readonly json?: S
  /** content types taken as bytes, streamed */
  readonly raw?: readonly string[]
  /** largest body, uncompressed; above it 413 `too_large` */
  readonly limitBytes: number
}

export interface AnswerContract<S extends TSchema = TSchema> {
  readonly status: 101 | 200 | 201 | 202 | 204
  readonly json?: S
  /** content type of an answer of bytes or text; `text/event-stream` for SSE */
  readonly raw?: string
}

export interface Endpoint {
  /** operation id, camelCase, unique */
  readonly name: string
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** whole path with `:params` */
  readonly path: string
  readonly audience: Audience
  /** one sentence for the reader of /docs */
  readonly summary: string
  readonly tag: string
  readonly params?: TSchema
  /** values arrive as strings and are converted to the schema's types */
  readonly query?: TSchema
  readonly body?: BodyContract
  readonly answer: AnswerContract
}

/** Declares an endpoint, keeping its exact types. */
export function defineEndpoint<const E extends Endpoint>(endpoint: E): E {
  return endpoint
}

export type ParamsOf<E extends Endpoint> = E extends { params: infer S extends TSchema }
  ? Static<S>
  : Record<never, never>
export type QueryOf<E extends Endpoint> = E extends { query: infer S extends TSchema }
  ? Static<S>
  : Record<never, never>
export type BodyOf<E extends Endpoint> = E extends { body: { json: infer S extends TSchema } } ? Static<S> : undefined
export type AnswerOf<E extends Endpoint> = E extends { answer: { json: infer S extends TSchema } }
  ? Static<S>
  : undefined
