/** The operator API. */
import type { FastifyInstance } from 'fastify'
import { agentRoutes } from './agent-routes.js'
import { eventRoutes } from './event-routes.js'
import { type LogRouteDeps, logRoutes } from './log-routes.js'
import { poolRoutes } from './pool-routes.js'
import { stateRoutes } from './state-routes.js'
import { type TaskRouteDeps, taskRoutes } from './task-routes.js'
import { tokenRoutes } from './token-routes.js'
import { workspaceRoutes } from './workspace-routes.js'

export type OperatorDeps = TaskRouteDeps & LogRouteDeps

export async function operatorPlugin(app: FastifyInstance, deps: OperatorDeps): Promise<void> {
  poolRoutes(app, deps)
  tokenRoutes(app, deps)
  agentRoutes(app, deps)
  workspaceRoutes(app, deps)
  taskRoutes(app, deps)
  logRoutes(app, deps)
  stateRoutes(app, deps)
  eventRoutes(app, deps)
}
