/** Every operator endpoint as a method, made from protocol's contracts: `client.tasks.get({ params: { id: 7 } })`. */
import { type Endpoint, type OperatorEndpoints, operatorEndpoints } from '@iac-agent/protocol'
import { type LogPiece, type LogStreamOptions, streamLogs } from './log-stream.js'
import { type Caller, type InputOf, type OutputOf, request } from './request.js'

type Call<E extends Endpoint> =
  object extends InputOf<E> ? (input?: InputOf<E>) => Promise<OutputOf<E>> : (input: InputOf<E>) => Promise<OutputOf<E>>
type Calls<G> = { readonly [K in keyof G]: G[K] extends Endpoint ? Call<G[K]> : never }

/** Calls by group; each throws ApiError for a verdict, NoAnswer or StrangeAnswer when there was none. */
export type OperatorClient = { readonly [K in keyof OperatorEndpoints]: Calls<OperatorEndpoints[K]> } & {
  /** The log of a task's phase, from `offset`, as it comes; ends when the log ends, resumes over lost connections. */
  streamLogs(taskId: number, options?: LogStreamOptions): AsyncIterable<LogPiece>
}

/** A client of one server by one token; it holds no connection. */
export function createClient(caller: Caller): OperatorClient {
  const calls = Object.entries(operatorEndpoints).map(([name, endpoints]) => [name, callsOf(caller, endpoints)])
  return {
    ...Object.fromEntries(calls),
    streamLogs: (taskId: number, options?: LogStreamOptions) => streamLogs(caller, taskId, options),
  }
}

function callsOf(caller: Caller, endpoints: Record<string, Endpoint>): Record<string, unknown> {
  const calls = Object.entries(endpoints).map(([name, endpoint]) => [
    name,
    (input: InputOf<Endpoint> = {}) => request(caller, endpoint, input),
  ])
  return Object.fromEntries(calls)
}
