/** The uploaded tree of a task. */
import { agentTaskEndpoints } from '@iac-agent/protocol'
import type { FastifyInstance } from 'fastify'
import { openConfiguration } from '../../domain/configurations/open-configuration.js'
import type { Store } from '../../store/store.js'
import { route } from '../route.js'
import { sendBytes } from '../send-bytes.js'

export async function configurationRoutes(app: FastifyInstance, deps: { store: Store }): Promise<void> {
  route(app, agentTaskEndpoints.configuration, async ({ params, reply, caller }) =>
    sendBytes(reply, await openConfiguration(deps, { caller, taskId: params.task_id })),
  )
}
