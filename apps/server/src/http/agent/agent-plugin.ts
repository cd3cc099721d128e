/** The agent API: routes for agents, and for attempts with their lease. */
import type { FastifyInstance } from 'fastify'
import type { LogDeps } from '../../domain/logs/save-chunk.js'
import { configurationRoutes } from './configuration-routes.js'
import { type FleetRouteDeps, fleetRoutes } from './fleet-routes.js'
import { logRoutes } from './log-routes.js'
import { planRoutes } from './plan-routes.js'
import { resourceRoutes } from './resource-routes.js'
import { stateRoutes } from './state-routes.js'
import { taskRoutes } from './task-routes.js'

export interface AgentDeps extends FleetRouteDeps, LogDeps {
  /** said with every answer: what was acknowledged under another one may be gone */
  readonly storeEpoch: number
}

export async function agentPlugin(app: FastifyInstance, deps: AgentDeps): Promise<void> {
  app.addHook('onRequest', (_request, reply, done) => {
    reply.header('x-store-epoch', deps.storeEpoch)
    done()
  })
  await fleetRoutes(app, deps)
  await taskRoutes(app, deps)
  await logRoutes(app, deps)
  await stateRoutes(app, deps)
  await planRoutes(app, deps)
  await resourceRoutes(app, deps)
  await configurationRoutes(app, deps)
}
