/** A bench's outcome as JSON: what the pictures and docs/performance.md are made of. */
import type { Bench } from '../bench.js'
import { type Row, ratioOf, strainOf, type Verdict, verdictOf } from './row.js'

export interface Report {
  readonly name: string
  readonly what: string
  readonly limit: string
  readonly machine: string
  readonly terraform: string
  readonly seconds: number
  readonly rows: readonly (Row & { readonly ratio: number; readonly verdict: Verdict; readonly strain?: number })[]
}

export function reportOf(
  { name, what, limit }: Bench,
  rows: readonly Row[],
  facts: Pick<Report, 'machine' | 'terraform' | 'seconds'>,
): Report {
  return { name, what, limit, ...facts, rows: rows.map(judged) }
}

function judged(row: Row): Report['rows'][number] {
  const strain = strainOf(row)
  return { ...row, ratio: ratioOf(row), verdict: verdictOf(row), ...(strain === undefined ? {} : { strain }) }
}
