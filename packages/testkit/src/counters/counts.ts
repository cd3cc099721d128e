/** What a program under count did so far: exact numbers, so that a test can tell a costly change without a clock. */
export interface Counts {
  /** fsync and fdatasync, by the path of the file or directory. */
  readonly syncs: Readonly<Record<string, number>>
  /** Processes it started itself, by the name of the program. */
  readonly processes: Readonly<Record<string, number>>
  /** Bytes it read from files, by their path. */
  readonly bytesRead: Readonly<Record<string, number>>
  /** SQL statements, by their text. */
  readonly statements: Readonly<Record<string, number>>
}

/** What was added since `before`, by `label` of each key; without those that did not grow. */
export function added(
  part: Readonly<Record<string, number>>,
  before: Readonly<Record<string, number>>,
  label: (key: string) => string = (key) => key,
): Record<string, number> {
  const sums: Record<string, number> = {}
  for (const [key, count] of Object.entries(part)) {
    const grown = count - (before[key] ?? 0)
    if (grown > 0) sums[label(key)] = (sums[label(key)] ?? 0) + grown
  }
  return sums
}
