/** Progress of single resources, and those no state holds. */
import { agentTaskEndpoints } from '@iac-agent/protocol'
import type { FastifyInstance } from 'fastify'
import { reportResources } from '../../domain/plans/report-resources.js'
import type { PlanDeps } from '../../domain/plans/save-plan.js'
import { saveUnrecorded } from '../../domain/plans/unrecorded-resources.js'
import { route } from '../route.js'

export async function resourceRoutes(app: FastifyInstance, deps: PlanDeps): Promise<void> {
  route(app, agentTaskEndpoints.resources, ({ params, body, caller }) =>
    reportResources(deps, { caller, taskId: params.task_id, reports: body.resources }),
  )
  route(app, agentTaskEndpoints.unrecorded, ({ params, body, caller }) =>
    saveUnrecorded(deps, { caller, taskId: params.task_id, report: body }),
  )
}
