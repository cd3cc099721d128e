/** Numbers by key. */
export type Tally = Record<string, number>

export function count(tally: Tally, key: string, by = 1): void {
  tally[key] = (tally[key] ?? 0) + by
}
