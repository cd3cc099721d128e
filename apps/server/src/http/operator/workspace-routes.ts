/** Workspaces, their lock, variables and resources. */
import { resourceEndpoints, variableEndpoints, workspaceEndpoints } from '@iac-agent/protocol'
import type { Clock } from '@iac-agent/runtime'
import type { FastifyInstance } from 'fastify'
import { changeResource, createResource, deleteResource, listResources } from '../../domain/workspaces/resources.js'
import { uploadConfiguration } from '../../domain/workspaces/upload-configuration.js'
import { changeVariable, createVariable, deleteVariable, listVariables } from '../../domain/workspaces/variables.js'
import { lockWorkspace, unlockWorkspace } from '../../domain/workspaces/workspace-lock.js'
import {
  changeWorkspace,
  createWorkspace,
  deleteWorkspace,
  getWorkspace,
  listWorkspaces,
} from '../../domain/workspaces/workspaces.js'
import type { Store } from '../../store/store.js'
import { route } from '../route.js'

interface Deps {
  store: Store
  clock: Clock
}

export function workspaceRoutes(app: FastifyInstance, deps: Deps): void {
  route(app, workspaceEndpoints.create, ({ body }) => createWorkspace(deps, body))
  route(app, workspaceEndpoints.list, ({ query }) => listWorkspaces(deps, query))
  route(app, workspaceEndpoints.get, ({ params }) => getWorkspace(deps, params.id))
  route(app, workspaceEndpoints.update, ({ params, body }) => changeWorkspace(deps, { id: params.id, patch: body }))
  route(app, workspaceEndpoints.remove, async ({ params }) => {
    await deleteWorkspace(deps, params.id)
    return {}
  })
  route(app, workspaceEndpoints.lock, ({ params, body, operator }) =>
    lockWorkspace(deps, { id: params.id, by: operator.name, reason: body.reason }),
  )
  route(app, workspaceEndpoints.unlock, ({ params }) => unlockWorkspace(deps, { id: params.id }))
  route(app, workspaceEndpoints.putConfiguration, ({ params, body, operator }) =>
    uploadConfiguration(deps, { workspaceId: params.id, by: operator.name, body: body.stream() }),
  )
  variableRoutes(app, deps)
  resourceRoutes(app, deps)
}

function variableRoutes(app: FastifyInstance, deps: Deps): void {
  route(app, variableEndpoints.create, ({ params, body }) => createVariable(deps, { workspaceId: params.id, body }))
  route(app, variableEndpoints.list, ({ params, query }) => listVariables(deps, { workspaceId: params.id, query }))
  route(app, variableEndpoints.update, ({ params, body }) =>
    changeVariable(deps, { workspaceId: params.id, variableId: params.variable_id, patch: body }),
  )
  route(app, variableEndpoints.remove, async ({ params }) => {
    await deleteVariable(deps, { workspaceId: params.id, variableId: params.variable_id })
    return {}
  })
}

function resourceRoutes(app: FastifyInstance, deps: Deps): void {
  route(app, resourceEndpoints.create, ({ params, body, operator }) =>
    createResource(deps, { workspaceId: params.id, by: operator.name, body }),
  )
  route(app, resourceEndpoints.list, ({ params, query }) => listResources(deps, { workspaceId: params.id, query }))
  route(app, resourceEndpoints.update, ({ params, body, operator }) =>
    changeResource(deps, { workspaceId: params.id, resourceId: params.resource_id, by: operator.name, patch: body }),
  )
  route(app, resourceEndpoints.remove, async ({ params }) => {
    await deleteResource(deps, { workspaceId: params.id, resourceId: params.resource_id })
    return {}
  })
}
