/** What a task's plan changes, each with how far its apply is. */
import { ApiError, type ResourceChange, type ResourceReport } from '@iac-agent/protocol'
import {
  findNewestPlan,
  listResourceChanges,
  listResourceReports,
  type ResourceChangeRow,
  type ResourceReportRow,
} from '../../store/plan-rows.js'
import type { Store } from '../../store/store.js'
import { rfc3339 } from '../rfc3339.js'

/** In the plan's order; resources that only the apply reported (there was no plan to store) follow. Throws `not_found`. */
export function resourceChanges(deps: { store: Store }, taskId: number): Promise<{ items: ResourceChange[] }> {
  return deps.store.read(async (reader) => {
    const task = await reader.db.selectFrom('workspace_tasks').select('id').where('id', '=', taskId).executeTakeFirst()
    if (!task) throw new ApiError('not_found', `task ${taskId} does not exist`)
    const plan = await findNewestPlan(reader, taskId)
    const changes = plan ? await listResourceChanges(reader, taskId, plan.attempt) : []
    return { items: withProgress(changes, await listResourceReports(reader, taskId)) }
  })
}

function withProgress(changes: readonly ResourceChangeRow[], reports: readonly ResourceReportRow[]): ResourceChange[] {
  const newest = new Map(reports.map((report) => [report.address, report]))
  const planned = changes.map((change) => {
    const report = newest.get(change.address)
    newest.delete(change.address)
    const { address, resource_type } = change
    return {
      address,
      resource_type,
      actions: JSON.parse(change.actions) as string[],
      progress: report ? viewOf(report) : null,
    }
  })
  const reported = [...newest.values()].map((report) => ({
    address: report.address,
    resource_type: typeOf(report.address),
    actions: [report.action],
    progress: viewOf(report),
  }))
  return [...planned, ...reported]
}

function viewOf(report: ResourceReportRow): ResourceReport {
  return {
    address: report.address,
    action: report.action,
    status: report.status as ResourceReport['status'],
    ...(report.resource_id === null ? {} : { id: report.resource_id }),
    ...(report.started_at === null ? {} : { started_at: rfc3339(report.started_at) }),
    ...(report.finished_at === null ? {} : { finished_at: rfc3339(report.finished_at) }),
    ...(report.error === null ? {} : { error: report.error }),
  }
}

/** `module.net["a.b"].terraform_data.x[0]` is of type `terraform_data`: the name before the last. */
function typeOf(address: string): string {
  const names = address.replaceAll(/\[("(\\.|[^"\\])*"|[^\]]*)\]/g, '').split('.')
  return names.at(-2) ?? address
}
