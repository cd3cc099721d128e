/** Lists page by page: rows in the order of their ids, the last id is the cursor. */

export interface PageRequest {
  /** only ids beyond this one */
  readonly after: string
  readonly limit: number
}

export interface PageOf<Row> {
  readonly rows: Row[]
  /** undefined: this is the last page */
  readonly next: string | undefined
}

/** @param rows up to `limit + 1` of them: the one too many tells that there is more */
export function pageOf<Row extends { id: string }>(rows: Row[], limit: number): PageOf<Row> {
  const page = rows.slice(0, limit)
  return { rows: page, next: rows.length > limit ? page.at(-1)?.id : undefined }
}
