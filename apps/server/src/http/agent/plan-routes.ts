/** Plans of attempts: the archive, and the JSON that people and the API read. */
import { agentTaskEndpoints } from '@iac-agent/protocol'
import type { FastifyInstance } from 'fastify'
import { savePlanJson } from '../../domain/plans/plan-json.js'
import { openPlan, type PlanDeps, savePlan } from '../../domain/plans/save-plan.js'
import { BlobWriter, receiveBlob } from '../../store/blobs.js'
import { checksumHeader, requireChecksum } from '../checksum.js'
import { route } from '../route.js'
import { sendBytes } from '../send-bytes.js'
import { admit } from './admit.js'

export async function planRoutes(app: FastifyInstance, deps: PlanDeps): Promise<void> {
  route(app, agentTaskEndpoints.putPlan, async ({ params, body, headers, caller }) => {
    await admit(deps, caller, params.task_id)
    const draft = await receiveBlob(new BlobWriter(deps.store, () => deps.clock.now()), body.stream())
    return savePlan(deps, { caller, taskId: params.task_id, draft, checksum: checksumHeader(headers) })
  })
  route(app, agentTaskEndpoints.getPlan, async ({ params, reply, caller }) =>
    sendBytes(reply, await openPlan(deps, { caller, taskId: params.task_id })),
  )
  route(app, agentTaskEndpoints.planJson, async ({ params, body, headers, caller }) => {
    await admit(deps, caller, params.task_id)
    const json = await body.bytes()
    requireChecksum(json, checksumHeader(headers))
    return savePlanJson(deps, { caller, taskId: params.task_id, json })
  })
}
