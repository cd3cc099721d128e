/** Tasks, newest first, without their outputs. */
import { ApiError, limits, type Task, type TaskStatus } from '@iac-agent/protocol'
import type { Clock } from '@iac-agent/runtime'
import type { Store } from '../../store/store.js'
import { listTaskRows } from '../../store/task-rows.js'
import { taskViews } from './task-view.js'

export interface ListTasks {
  /** an id, already resolved from a `name:…` */
  readonly workspaceId?: string | undefined
  readonly status?: TaskStatus | undefined
  /** as answered in `next_cursor`: the id below which the page begins */
  readonly cursor?: string | undefined
  readonly limit?: number | undefined
}

/** @throws ApiError `invalid_request` for a cursor that is none of ours */
export function listTasks(
  deps: { store: Store; clock: Clock },
  input: ListTasks,
): Promise<{ items: Task[]; next_cursor: string | null }> {
  const limit = input.limit ?? limits.pageItems
  return deps.store.read(async (reader) => {
    const filter = {
      workspaceId: input.workspaceId,
      status: input.status,
      before: beforeOf(input.cursor),
      limit: limit + 1,
    }
    const rows = await listTaskRows(reader, filter)
    const page = rows.slice(0, limit)
    const last = rows.length > limit ? page.at(-1) : undefined
    return {
      items: await taskViews(reader, page, deps.clock.now()),
      next_cursor: last === undefined ? null : String(last.id),
    }
  })
}

function beforeOf(cursor: string | undefined): number {
  if (cursor === undefined) return Number.MAX_SAFE_INTEGER
  if (/^\d{1,15}$/.test(cursor)) return Number(cursor)
  throw new ApiError('invalid_request', 'cursor is not one of ours', { field: 'cursor' })
}
