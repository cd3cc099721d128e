/** The border form of a list: `?limit=&cursor=` in, `{items, next_cursor}` out. */
import { limits } from '@iac-agent/protocol'
import type { PageOf, PageRequest } from '../store/page-of-rows.js'

export interface ListQuery {
  limit?: number | undefined
  cursor?: string | undefined
}

export interface ListPage<Item> {
  items: Item[]
  next_cursor: string | null
}

export function pageRequest(query: ListQuery): PageRequest {
  return { after: query.cursor ?? '', limit: query.limit ?? limits.pageItems }
}

export function listPage<Row, Item>(page: PageOf<Row>, view: (row: Row) => Item): ListPage<Item> {
  return { items: page.rows.map(view), next_cursor: page.next ?? null }
}
