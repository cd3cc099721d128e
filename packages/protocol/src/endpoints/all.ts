/** Every contract of the API in its groups: what routes, clients and the OpenAPI document are made from. */
import type { Endpoint } from '../endpoint.js'
import { agentFleetEndpoints } from './agent-fleet.js'
import { agentTaskEndpoints } from './agent-tasks.js'
import { agentEndpoints } from './agents.js'
import { poolEndpoints, tokenEndpoints } from './pools.js'
import { openEndpoints, stateEndpoints } from './states.js'
import { taskEndpoints } from './tasks.js'
import { resourceEndpoints, variableEndpoints } from './workspace-items.js'
import { workspaceEndpoints } from './workspaces.js'

/** Spelled out: an inferred type would repeat every schema in the declarations. */
export interface OperatorEndpoints {
  readonly pools: typeof poolEndpoints
  readonly tokens: typeof tokenEndpoints
  readonly agents: typeof agentEndpoints
  readonly workspaces: typeof workspaceEndpoints
  readonly variables: typeof variableEndpoints
  readonly resources: typeof resourceEndpoints
  readonly tasks: typeof taskEndpoints
  readonly states: typeof stateEndpoints
  readonly open: typeof openEndpoints
}

/** What an operator calls, by group. */
export const operatorEndpoints: OperatorEndpoints = {
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

/** Every contract, the agents' included. */
export const allEndpoints: readonly Endpoint[] = [
  ...Object.values(operatorEndpoints),
  agentFleetEndpoints,
  agentTaskEndpoints,
].flatMap((group: Record<string, Endpoint>) => Object.values(group))
