/** Times at the border: RFC 3339 UTC from the store's epoch milliseconds. */
export function rfc3339(epochMs: number): string {
  return new Date(epochMs).toISOString()
}

export function rfc3339OrNull(epochMs: number | null): string | null {
  return epochMs === null ? null : rfc3339(epochMs)
}
