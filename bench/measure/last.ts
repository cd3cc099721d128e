/** The last of what was measured. */

/** @throws RangeError for nothing */
export function last<T>(items: readonly T[]): T {
  const item = items.at(-1)
  if (item === undefined) throw new RangeError('nothing was measured')
  return item
}
