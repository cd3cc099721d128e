/** Tasks and what they produce. */
import { ApiError, taskEndpoints } from '@iac-agent/protocol'
import type { Clock } from '@iac-agent/runtime'
import type { FastifyInstance } from 'fastify'
import { openPlanJson } from '../../domain/plans/plan-json.js'
import { resourceChanges } from '../../domain/plans/resource-changes.js'
import { unrecordedResources } from '../../domain/plans/unrecorded-resources.js'
import type { AgentLink } from '../../domain/ports.js'
import { cancelTask } from '../../domain/tasks/cancel-task.js'
import { confirmTask } from '../../domain/tasks/confirm-task.js'
import { createTask } from '../../domain/tasks/create-task.js'
import { declareLost } from '../../domain/tasks/declare-lost.js'
import { discardTask } from '../../domain/tasks/discard-task.js'
import { listTasks } from '../../domain/tasks/list-tasks.js'
import { getTask } from '../../domain/tasks/task-view.js'
import { requireWorkspace } from '../../domain/workspaces/require-workspace.js'
import type { Store } from '../../store/store.js'
import { route } from '../route.js'
import { sendBytes } from '../send-bytes.js'

export interface TaskRouteDeps {
  store: Store
  clock: Clock
  link: AgentLink
}

export function taskRoutes(app: FastifyInstance, deps: TaskRouteDeps): void {
  route(app, taskEndpoints.create, async ({ params, body, headers, operator }) => {
    const idempotencyKey = keyOf(headers['idempotency-key'])
    const { task } = await createTask(deps, { workspaceId: params.id, by: operator.name, body, idempotencyKey })
    return task
  })
  route(app, taskEndpoints.list, async ({ query: { workspace_id: idOrName, ...query } }) => {
    if (idOrName === undefined) return listTasks(deps, query)
    const { id } = await deps.store.read((reader) => requireWorkspace(reader, idOrName))
    return listTasks(deps, { ...query, workspaceId: id })
  })
  route(app, taskEndpoints.get, ({ params }) => getTask(deps, { taskId: params.id }))
  route(app, taskEndpoints.confirm, ({ params, body, operator }) =>
    confirmTask(deps, { taskId: params.id, by: operator.name, description: body.description ?? undefined }),
  )
  route(app, taskEndpoints.discard, ({ params, operator }) =>
    discardTask(deps, { taskId: params.id, by: operator.name }),
  )
  route(app, taskEndpoints.cancel, ({ params, body, operator }) =>
    cancelTask(deps, { taskId: params.id, by: operator.name, force: body.force ?? false }),
  )
  route(app, taskEndpoints.declareLost, ({ params, body, operator }) =>
    declareLost(deps, { taskId: params.id, by: operator.name, agentName: body.agent_name }),
  )
  route(app, taskEndpoints.planJson, async ({ params, reply }) => sendBytes(reply, await openPlanJson(deps, params.id)))
  route(app, taskEndpoints.resourceChanges, ({ params }) => resourceChanges(deps, params.id))
  route(app, taskEndpoints.unrecordedResources, ({ params }) => unrecordedResources(deps, params.id))
}

function keyOf(header: string | string[] | undefined): string | undefined {
  if (header === undefined || header === '') return undefined
  if (typeof header === 'string' && header.length <= 255) return header
  throw new ApiError('invalid_request', 'Idempotency-Key must be one value of at most 255 characters', {
    field: 'Idempotency-Key',
  })
}
