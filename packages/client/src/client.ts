/** Every operator endpoint as a method, made from protocol's contracts: `client.tasks.get({ params: { id: 7 } })`. */
import {
  agentEndpoints,
  type Endpoint,
  openEndpoints,
  poolEndpoints,
  resourceEndpoints,
  stateEndpoints,
  taskEndpoints,
  tokenEndpoints,
  variableEndpoints,
  workspaceEndpoints,
} from '@iac-agent/protocol'
import { type LogPiece, type LogStreamOptions, streamLogs } from './log-stream.js'
import { type Caller, type InputOf, type OutputOf, request } from './request.js'

/** Spelled out: an inferred type would repeat every schema in the declarations. */
interface Groups {
  pools: typeof poolEndpoints
  tokens: typeof tokenEndpoints
  agents: typeof agentEndpoints
  workspaces: typeof workspaceEndpoints
  variables: typeof variableEndpoints
  resources: typeof resourceEndpoints
  tasks: typeof taskEndpoints
  states: typeof stateEndpoints
  open: typeof openEndpoints
}

const groups: Groups = {
  pools: poolEndpoints,
  tokens: tokenEndpoints,
  agents: agentEndpoints,
  workspaces: workspaceEndpoints,
  variables: variableEndpoints,
  resources: resourceEndpoints,
  tasks: taskEndpoints,
  states: stateEndpoints,
  open: openEndpoints,
}

type Call<E extends Endpoint> =
  object extends InputOf<E> ? (input?: InputOf<E>) => Promise<OutputOf<E>> : (input: InputOf<E>) => Promise<OutputOf<E>>
type Calls<G> = { readonly [K in keyof G]: G[K] extends Endpoint ? Call<G[K]> : never }

/** Calls by group; each throws ApiError for a verdict, NoAnswer or StrangeAnswer when there was none. */
export type OperatorClient = { readonly [K in keyof Groups]: Calls<Groups[K]> } & {
  /** The log of a task's phase, from `offset`, as it comes; ends when the log ends, resumes over lost connections. */
  streamLogs(taskId: number, options?: LogStreamOptions): AsyncIterable<LogPiece>
}

/** A client of one server by one token; it holds no connection. */
export function createClient(caller: Caller): OperatorClient {
  const calls = Object.entries(groups).map(([name, endpoints]) => [name, callsOf(caller, endpoints)])
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
