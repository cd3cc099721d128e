/** Wall time of a body. */

/** Milliseconds until `body` settles. */
export async function timed(body: () => Promise<unknown>): Promise<number> {
  const from = performance.now()
  await body()
  return performance.now() - from
}
