/** The way of an attempt: its data, its start, its status. */
import { Readable } from 'node:stream'
import { ApiError, agentTaskEndpoints } from '@iac-agent/protocol'
import type { Clock } from '@iac-agent/runtime'
import type { FastifyInstance } from 'fastify'
import { startApply } from '../../domain/attempts/start-apply.js'
import { reportStatus } from '../../domain/tasks/report-status.js'
import { taskData } from '../../domain/tasks/task-data.js'
import type { Store } from '../../store/store.js'
import { route } from '../route.js'

export interface TaskRouteDeps {
  readonly store: Store
  readonly clock: Clock
  readonly storeEpoch: number
}

export async function taskRoutes(app: FastifyInstance, deps: TaskRouteDeps): Promise<void> {
  route(app, agentTaskEndpoints.data, async ({ params, query, reply, caller }) => {
    const includeState = query.include_state ?? true
    const data = await taskData(deps, { caller, taskId: params.task_id, includeState })
    if (typeof data === 'string') return data
    reply.header(
      'content-length',
      data.reduce((sum, { length }) => sum + length, 0),
    )
    return Readable.from(data, { objectMode: false }) // a state is not copied to stand between the two ends
  })
  route(app, agentTaskEndpoints.start, async ({ params, body, caller }) => {
    await startApply(deps, { caller, taskId: params.task_id, startId: body.start_id })
    return { status: 'started' as const }
  })
  route(app, agentTaskEndpoints.status, ({ params, body, caller }) => {
    requireThisLife(deps, body.store_epoch)
    return reportStatus(deps, { caller, taskId: params.task_id, report: body })
  })
}

/** What was acknowledged before a restore may be gone: the agent hears of it by X-Store-Epoch and sends that first. */
function requireThisLife({ storeEpoch }: TaskRouteDeps, acknowledgedIn: number | undefined): void {
  if (acknowledgedIn === undefined || acknowledgedIn === storeEpoch) return
  const message = `the store was restored since (life ${acknowledgedIn}, now ${storeEpoch}): send again what belongs to this status`
  throw new ApiError('unavailable', message, { store_epoch: storeEpoch })
}
