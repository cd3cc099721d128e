/** Ranks of measured values. */

/** The value that `share` (0 to 1) of all values do not exceed. @throws RangeError for no values: nothing was measured */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((one, other) => one - other)
  const value = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]
  if (value === undefined) throw new RangeError('nothing was measured')
  return value
}

export function median(values: readonly number[]): number {
  return percentile(values, 0.5)
}
