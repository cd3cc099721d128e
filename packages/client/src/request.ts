/** One call of one endpoint: contract and input in, checked answer or a classed error out. */
import {
  type AnswerOf,
  ApiError,
  type BodyOf,
  type Endpoint,
  ErrorBody,
  fits,
  type ParamsOf,
  parse,
  type QueryOf,
} from '@iac-agent/protocol'
import { NoAnswer, StrangeAnswer } from './errors.js'

/** Where the server is, who calls, and by what. */
export interface Caller {
  /** With its prefix, without `/api/v1`; a trailing slash is taken off. */
  baseUrl: string
  /** An operator token. */
  token: string
  /** The platform's fetch unless given. */
  fetch?: typeof fetch
}

/** What a call takes: exactly the parts its contract has. */
export type InputOf<E extends Endpoint> = PartOf<'params', E, ParamsOf<E>> &
  (E extends { query: object } ? { query?: QueryOf<E> } : unknown) &
  BodyPart<E> & { headers?: Record<string, string>; signal?: AbortSignal }

type PartOf<Name extends string, E extends Endpoint, Part> = E extends { [K in Name]: object }
  ? { [K in Name]: Part }
  : unknown
type BodyPart<E extends Endpoint> = E extends { body: { raw: readonly string[] } }
  ? { body: Uint8Array | string; contentType?: string }
  : E extends { body: { json: object } }
    ? object extends BodyOf<E>
      ? { body?: BodyOf<E> }
      : { body: BodyOf<E> }
    : unknown

/** JSON answers as their type; bytes and streams as the response itself. */
export type OutputOf<E extends Endpoint> = E extends { answer: { json: object } } ? AnswerOf<E> : Response

interface AnyInput {
  params?: Record<string, unknown>
  query?: Record<string, unknown>
  body?: unknown
  contentType?: string
  headers?: Record<string, string>
  signal?: AbortSignal
}

/**
 * Calls an endpoint once.
 * @throws ApiError for a verdict of the server, StrangeAnswer, NoAnswer, or InvalidInput for an answer that breaks the contract
 */
export async function request<E extends Endpoint>(
  caller: Caller,
  endpoint: E,
  input: InputOf<E>,
): Promise<OutputOf<E>> {
  const given = input as AnyInput
  const response = await send(caller, endpoint, given)
  if (!response.ok) throw await verdictOf(endpoint, response)
  if (!endpoint.answer.json) return response as OutputOf<E>
  const answer = await response.json().catch((cause: unknown) => {
    throw new NoAnswer(endpoint.name, cause)
  })
  return parse(endpoint.answer.json, answer, `answer of ${endpoint.name}`) as OutputOf<E>
}

async function send(caller: Caller, endpoint: Endpoint, input: AnyInput): Promise<Response> {
  const isRaw = endpoint.body?.raw !== undefined
  const headers: Record<string, string> = { authorization: `Bearer ${caller.token}`, ...input.headers }
  if (isRaw) headers['content-type'] = input.contentType ?? endpoint.body?.raw?.[0] ?? 'application/octet-stream'
  else if (input.body !== undefined) headers['content-type'] = 'application/json'
  const body = isRaw
    ? (input.body as Uint8Array<ArrayBuffer> | string)
    : input.body === undefined
      ? null
      : JSON.stringify(input.body)
  const doFetch = caller.fetch ?? fetch
  try {
    return await doFetch(addressOf(caller.baseUrl, endpoint, input), {
      method: endpoint.method,
      headers,
      body,
      signal: input.signal ?? null,
    })
  } catch (cause) {
    throw new NoAnswer(endpoint.name, cause)
  }
}

function addressOf(baseUrl: string, endpoint: Endpoint, { params = {}, query = {} }: AnyInput): string {
  const path = endpoint.path.replace(/:(\w+)/g, (_, name: string) => encodeURIComponent(String(params[name])))
  const url = new URL(baseUrl.replace(/\/$/, '') + path)
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) url.searchParams.set(name, String(value))
  }
  return url.href
}

async function verdictOf(endpoint: Endpoint, response: Response): Promise<Error> {
  const text = await response.text()
  const body = jsonOrNothing(text)
  if (!fits(ErrorBody, body)) return new StrangeAnswer(endpoint.name, response.status, text)
  return new ApiError(body.error.code, body.error.message, body.error.details, body.request_id)
}

/** What is no JSON is no error of ours: the caller classes it. */
function jsonOrNothing(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // an answer: the text is somebody else's
  }
}
