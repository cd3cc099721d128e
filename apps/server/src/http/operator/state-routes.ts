/** State versions of a workspace, their bytes and outputs; import. */
import { limits, stateEndpoints } from '@iac-agent/protocol'
import type { Clock } from '@iac-agent/runtime'
import type { FastifyInstance } from 'fastify'
import { importState } from '../../domain/states/import-state.js'
import { promoteState } from '../../domain/states/promote-state.js'
import { receiveRawState } from '../../domain/states/receive-state.js'
import { stateOutputs } from '../../domain/states/state-outputs.js'
import {
  currentStateContent,
  getStateVersion,
  listStates,
  stateVersionContent,
} from '../../domain/states/state-view.js'
import { requireWorkspace } from '../../domain/workspaces/require-workspace.js'
import type { Store } from '../../store/store.js'
import { checksumHeader } from '../checksum.js'
import { route } from '../route.js'
import { sendBytes } from '../send-bytes.js'

interface Deps {
  store: Store
  clock: Clock
}

export function stateRoutes(app: FastifyInstance, deps: Deps): void {
  const idOf = async (idOrName: string) => (await deps.store.read((reader) => requireWorkspace(reader, idOrName))).id

  route(app, stateEndpoints.list, async ({ params, query }) => {
    const workspaceId = await idOf(params.id)
    return listStates(deps, { workspaceId, limit: query.limit ?? limits.pageItems, cursor: query.cursor })
  })
  route(app, stateEndpoints.get, ({ params }) => getStateVersion(deps, params.id))
  route(app, stateEndpoints.content, async ({ params, reply }) => {
    const state = await stateVersionContent(deps, params.id)
    return sendBytes(reply.header('x-state-version', state.version), state)
  })
  route(app, stateEndpoints.current, async ({ params, reply }) => {
    const state = await currentStateContent(deps, await idOf(params.id))
    return sendBytes(reply.header('x-state-version', state.version), state)
  })
  route(app, stateEndpoints.outputs, async ({ params }) => stateOutputs(deps, await idOf(params.id)))
  route(app, stateEndpoints.import, async ({ params, body, headers, operator }) => {
    const workspaceId = await idOf(params.id)
    const draft = await receiveRawState(deps, body.stream(), checksumHeader(headers))
    const { id } = await importState(deps, { workspaceId, by: operator.name, draft })
    return getStateVersion(deps, String(id))
  })
  route(app, stateEndpoints.promote, async ({ params, operator }) => {
    const workspaceId = await idOf(params.id)
    const { id } = await promoteState(deps, { workspaceId, versionId: params.version_id, by: operator.name })
    return getStateVersion(deps, String(id))
  })
}
