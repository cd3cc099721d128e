/** States of attempts: the one to start from, and those terraform writes. */
import { agentTaskEndpoints, limits } from '@iac-agent/protocol'
import type { FastifyInstance } from 'fastify'
import { openTaskState } from '../../domain/states/open-task-state.js'
import { type ReceiveDeps, receiveRawState, receiveWrappedState } from '../../domain/states/receive-state.js'
import { saveTaskState } from '../../domain/states/save-task-state.js'
import { checksumHeader } from '../checksum.js'
import { RawBody } from '../raw-body.js'
import { route } from '../route.js'
import { sendBytes } from '../send-bytes.js'
import { admit } from './admit.js'

export async function stateRoutes(app: FastifyInstance, deps: ReceiveDeps): Promise<void> {
  route(app, agentTaskEndpoints.state, async ({ params, reply, caller }) => {
    const state = await openTaskState(deps, { caller, taskId: params.task_id })
    reply.header('x-state-version', state.version)
    return sendBytes(reply, state)
  })
  route(
    app,
    agentTaskEndpoints.saveState,
    async ({ params, body, headers, caller }) => {
      if (!(body instanceof RawBody)) throw new Error('the state route takes its JSON as bytes')
      await admit(deps, caller, params.task_id)
      const draft =
        body.contentType === 'application/octet-stream'
          ? await receiveRawState(deps, body.stream(), checksumHeader(headers), body.declaredBytes)
          : await receiveWrappedState(deps, await body.bytes())
      return saveTaskState(deps, { caller, taskId: params.task_id, draft })
    },
    { jsonAsBytes: true, jsonLimitBytes: limits.stateJsonBytes },
  )
}
