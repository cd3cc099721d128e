/** One measured thing beside its limit or rival of the same run, and the target it is held to. */

export type Unit = 'ms' | 's' | 'MiB' | 'KiB' | 'MiB/s' | '/s' | 'cores' | '%' | ''

export interface Row {
  /** What, and how much of it: `100 resources, warm`. */
  readonly what: string
  /** Ours, in `unit`. */
  readonly ours: number
  /** The limit's or rival's, in the same unit and run. */
  readonly limit: number
  readonly unit: Unit
  /** Names the limit: `bare terraform`. */
  readonly against: string
  /** None: a figure that is shown for its growth or as the ground of another row. */
  readonly target?: Target
}

/** A bound on `ours / limit`, or (`of: 'ours'`) on our figure itself. */
export type Target = { readonly of: 'ratio' | 'ours' } & ({ readonly atMost: number } | { readonly atLeast: number })

export type Verdict = 'met' | 'missed' | 'shown'

export function ratioOf({ ours, limit }: Row): number {
  return ours / limit
}

export function verdictOf(row: Row): Verdict {
  const { target } = row
  if (target === undefined) return 'shown'
  const value = target.of === 'ours' ? row.ours : ratioOf(row)
  const isMet = 'atMost' in target ? value <= target.atMost : value >= target.atLeast
  return isMet ? 'met' : 'missed'
}

/** How far from the target, 1 being just met, more being worse; undefined without a target. */
export function strainOf(row: Row): number | undefined {
  const { target } = row
  if (target === undefined) return undefined
  const value = target.of === 'ours' ? row.ours : ratioOf(row)
  return 'atMost' in target ? value / target.atMost : target.atLeast / value
}
