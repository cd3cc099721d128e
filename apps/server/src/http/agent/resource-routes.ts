/** Progress of single resources. */
import { agentTaskEndpoints } from '@iac-agent/protocol'
import type { FastifyInstance } from 'fastify'
import { reportResources } from '../../domain/plans/report-resources.js'
import type { PlanDeps } from '../../domain/plans/save-plan.js'
import { route } from '../route.js'

export async function resourceRoutes(app: FastifyInstance, deps: PlanDeps): Promise<void> {
  route(app, agentTaskEndpoints.resources, ({ params, body, caller }) =>
    reportResources(deps, { caller, taskId: params.task_id, reports: body.resources }),
  )
}
