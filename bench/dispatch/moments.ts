/** Moments of server, agents and terraform on one scale: epoch milliseconds of this machine. */

/** Of `performance.now()`, with its fractions. */
export function epochOf(performanceNow: number): number {
  return performance.timeOrigin + performanceNow
}

/**
 * The server's stamp of a row, in epoch milliseconds. It is taken inside the transaction and cut to whole milliseconds, so it lies up to
 * one COMMIT and 1 ms before the row is committed: what is measured from it is an upper bound.
 */
export function stampOf(rfc3339: string | null): number {
  return rfc3339 === null ? 0 : Date.parse(rfc3339)
}
