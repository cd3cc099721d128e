/** Things a step does at once, none of which outlives it. */

/** As Promise.all, but when one fails the others are waited for: nothing of a step may happen after it. */
export async function allEnded<T extends readonly unknown[]>(
  parts: readonly [...T],
): Promise<{ -readonly [I in keyof T]: Awaited<T[I]> }> {
  await Promise.allSettled(parts)
  return await Promise.all(parts)
}
